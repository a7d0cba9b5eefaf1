metadata description = 'Azure Managed Redis: who belongs to the cluster. A few kilobytes, read and written a few times a second.'

import { resourceTags } from 'tags.bicep'

@description('Name of the instance.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Size.')
param sku string

@description('Whether a replica takes over when a node fails.')
param highAvailability bool

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    highAvailability: highAvailability ? 'Enabled' : 'Disabled'
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Disabled'
  }

  resource database 'databases' = {
    name: 'default'
    properties: {
      clientProtocol: 'Encrypted'
      // One endpoint, as one server: the cluster string names it alone.
      clusteringPolicy: 'EnterpriseCluster'
      // A membership table must not be evicted.
      evictionPolicy: 'NoEviction'
      // The key stands in the vault only. Silos and clients know passwords, not Entra tokens.
      accessKeysAuthentication: 'Enabled'
      port: 10000
    }
  }
}

@description('Resource id.')
output redisId string = redis.id

@description('Host name.')
output hostName string = redis.properties.hostName

@description('Port.')
output port int = redis::database.properties.port
