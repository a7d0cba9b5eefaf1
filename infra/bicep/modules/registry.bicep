metadata description = 'The container registry: the silo\'s image, and the telemetry collector\'s from where it is published.'

import { resourceTags } from 'tags.bicep'

@description('Name of the registry.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Name of the nodes\' identity: they pull images.')
param nodesIdentity string

@description('Name of the identity of machines that run clients: they push the silo\'s image.')
param clientsIdentity string

@description('Where the collector\'s image is published.')
param collectorSource string

@description('AcrPull.')
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'

@description('AcrPush.')
var acrPush = '8311e382-0749-4cb8-b61a-304f252e45ec'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: name
  location: location
  tags: tags
  // The only tier with private endpoints.
  sku: { name: 'Premium' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: 'Disabled'
    // 'az acr import' and cache rules are Azure's own.
    networkRuleBypassOptions: 'AzureServices'
    policies: { exportPolicy: { status: 'disabled' } }
  }

  resource collector 'cacheRules' = {
    name: 'collector'
    properties: {
      sourceRepository: collectorSource
      targetRepository: 'otel-collector'
    }
  }
}

resource nodes 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: nodesIdentity }

resource clients 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: clientsIdentity }

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, nodes.id, acrPull)
  scope: registry
  properties: {
    principalId: nodes.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}

resource push 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, clients.id, acrPush)
  scope: registry
  properties: {
    principalId: clients.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPush)
  }
}

@description('Resource id.')
output registryId string = registry.id

@description('Server of the registry.')
output loginServer string = registry.properties.loginServer
