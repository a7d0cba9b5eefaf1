metadata description = 'Blob storage: arrays and code on their way from clients to silos. By identity alone, and emptied by a rule.'

import { resourceTags } from 'tags.bicep'

@description('Name of the account.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Redundancy.')
param sku string

@description('Names of the identities that read and write blobs.')
param identities string[]

@description('Days after which a blob that nobody deleted goes.')
@minValue(1)
@maxValue(365)
param keepDays int

@description('Storage Blob Data Contributor.')
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    // What a run has deleted is gone.
    properties: {
      deleteRetentionPolicy: { enabled: false }
      containerDeleteRetentionPolicy: { enabled: false }
    }

    resource container 'containers' = {
      name: 'joblib'
      properties: { publicAccess: 'None' }
    }
  }

  // Runs delete what is theirs; what a killed client or cluster left goes by this rule.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'left-behind'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['joblib/']
              }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keepDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource users 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [for identity in identities: { name: identity }]

resource readAndWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (identity, index) in identities: {
    name: guid(account.id, users[index].id, blobDataContributor)
    scope: account::blobs::container
    properties: {
      principalId: users[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    }
  }
]

@description('Resource id.')
output accountId string = account.id

@description('URL of the container.')
output containerUrl string = '${account.properties.primaryEndpoints.blob}joblib'
