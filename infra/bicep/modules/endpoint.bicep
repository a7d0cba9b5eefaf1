metadata description = 'The private endpoint of one resource: its only address, inside the network.'

import { resourceTags } from 'tags.bicep'

@description('Name of the endpoint.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Resource that is reached.')
param resourceId string

@description('Part of the resource that is reached, as Azure Private Link names it.')
param groupId string

@description('Subnet of private endpoints.')
param subnetId string

@description('Private DNS zones that name it.')
param zoneNames string[]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [for zone in zoneNames: { name: zone }]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: resourceId
          groupIds: [groupId]
        }
      }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for (zone, index) in zoneNames: {
          name: 'zone${index}'
          properties: { privateDnsZoneId: zones[index].id }
        }
      ]
    }
  }
}
