metadata description = 'The virtual network: subnets of nodes, pods, private endpoints and clients. Nothing in it can be reached from the internet; what it asks of the internet leaves by a NAT gateway.'

import { resourceTags } from 'tags.bicep'

@description('Start of every resource\'s name.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Address range of the network.')
param addressPrefix string

// Silos advertise their pods' addresses, so pods get addresses of this network (and 4,000 are enough for 125 nodes of 30 pods).
var podPrefix = cidrSubnet(addressPrefix, 20, 1)

resource egressAddress 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: '${name}-egress'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource egress 'Microsoft.Network/natGateways@2024-05-01' = {
  name: '${name}-egress'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 4
    publicIpAddresses: [{ id: egressAddress.id }]
  }
}

// What no rule names follows the defaults: open within the network, closed to the internet.
resource podRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-pods'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'silo-to-silo'
        properties: {
          description: 'Silos reach each other.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: podPrefix
          sourcePortRange: '*'
          destinationAddressPrefix: podPrefix
          destinationPortRange: '11111'
        }
      }
      {
        name: 'clients-to-gateways'
        properties: {
          description: 'Clients of this network and its peers reach every silo\'s gateway.'
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: podPrefix
          destinationPortRange: '30000'
        }
      }
      {
        name: 'nobody-else-to-silos'
        properties: {
          description: 'Only silos speak to silo ports.'
          priority: 200
          direction: 'Inbound'
          access: 'Deny'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: podPrefix
          destinationPortRange: '11111'
        }
      }
    ]
  }
}

resource otherRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-private'
  location: location
  tags: tags
  properties: { securityRules: [] }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          networkSecurityGroup: { id: otherRules.id }
          natGateway: { id: egress.id }
          defaultOutboundAccess: false
        }
      }
      {
        name: 'pods'
        properties: {
          addressPrefix: podPrefix
          networkSecurityGroup: { id: podRules.id }
          natGateway: { id: egress.id }
          defaultOutboundAccess: false
          delegations: [
            {
              name: 'aks'
              properties: { serviceName: 'Microsoft.ContainerService/managedClusters' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 1)
          networkSecurityGroup: { id: otherRules.id }
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
      {
        name: 'clients'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 2)
          networkSecurityGroup: { id: otherRules.id }
          natGateway: { id: egress.id }
          defaultOutboundAccess: false
        }
      }
    ]
  }

  resource nodes 'subnets' existing = { name: 'nodes' }
  resource pods 'subnets' existing = { name: 'pods' }
  resource endpoints 'subnets' existing = { name: 'endpoints' }
  resource clients 'subnets' existing = { name: 'clients' }
}

@description('Resource id of the network.')
output networkId string = network.id

@description('Subnet of the cluster\'s nodes.')
output nodeSubnetId string = network::nodes.id

@description('Subnet of the cluster\'s pods.')
output podSubnetId string = network::pods.id

@description('Subnet of private endpoints.')
output endpointSubnetId string = network::endpoints.id

@description('Subnet of machines that run clients.')
output clientSubnetId string = network::clients.id
