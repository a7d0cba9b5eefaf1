metadata description = 'Key Vault: certificates for mutual TLS and the cluster string with Redis\' password.'

import { resourceTags } from 'tags.bicep'

@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Whether a deleted vault can be purged before its 90 days are over: for clusters that come and go.')
param allowPurge bool

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

@description('Resource id.')
output vaultId string = vault.id
