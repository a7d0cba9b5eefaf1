metadata description = 'Private DNS zones, each linked to the network: names of private endpoints.'

import { resourceTags } from 'tags.bicep'

@description('Names of the zones.')
param names string[]

@description('Network that the names hold in.')
param networkId string

@description('Tags of every resource.')
param tags resourceTags

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in names: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in names: {
    parent: zones[index]
    name: 'network'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]
