metadata description = 'Managed identities: of the cluster, of its nodes, of the silos and of clients. No key and no password belongs to any of them.'

import { resourceTags } from 'tags.bicep'

@description('Name of the cluster\'s identity.')
param clusterIdentity string

@description('Name of the nodes\' identity.')
param nodesIdentity string

@description('Name of the silos\' identity.')
param silosIdentity string

@description('Name of the identity of machines that run clients.')
param clientsIdentity string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Name of the virtual network.')
param networkName string

@description('Network Contributor.')
var networkContributor = '4d97b98b-1d4f-4787-a291-c67834d212e7'

@description('Managed Identity Operator.')
var managedIdentityOperator = 'f1a07417-d97a-45cb-824c-7a7467783830'

resource cluster 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: clusterIdentity
  location: location
  tags: tags
}

resource nodes 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: nodesIdentity
  location: location
  tags: tags
}

resource silos 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: silosIdentity
  location: location
  tags: tags
}

resource clients 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: clientsIdentity
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' existing = { name: networkName }

// The cluster puts its nodes and pods into subnets that are not its own …
resource joinsNetwork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network.id, cluster.id, networkContributor)
  scope: network
  properties: {
    principalId: cluster.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', networkContributor)
  }
}

// … and gives its nodes their identity.
resource assignsIdentity 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(nodes.id, cluster.id, managedIdentityOperator)
  scope: nodes
  properties: {
    principalId: cluster.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', managedIdentityOperator)
  }
}
