metadata description = 'Key Vault: certificates for mutual TLS and the cluster string with Redis\' password.'

import { resourceTags } from 'tags.bicep'

@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Names of the identities that read secrets.')
param readers string[]

@description('Whether a deleted vault can be purged before its 90 days are over: for clusters that come and go.')
param allowPurge bool

@description('Key Vault Secrets User.')
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      family: 'A'
      name: 'standard'
    }
    tenantId: tenant().tenantId
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: allowPurge ? 7 : 90
    enablePurgeProtection: allowPurge ? null : true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      // The deployment itself writes secrets.
      bypass: 'AzureServices'
      defaultAction: 'Deny'
    }
  }
}

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [for reader in readers: { name: reader }]

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (reader, index) in readers: {
    name: guid(vault.id, identities[index].id, secretsUser)
    scope: vault
    properties: {
      principalId: identities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    }
  }
]

@description('Resource id.')
output vaultId string = vault.id
