metadata description = 'A machine inside the network to run clients on: no public address, no open port; \'az vm run-command\' and Bastion reach it.'

import { resourceTags } from 'tags.bicep'

@description('Name of the machine.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Subnet of clients.')
param subnetId string

@description('Size of the machine.')
param size string

@description('Name of its administrator.')
param adminName string

@description('Name of its identity.')
param identity string

@description('Public SSH key of its administrator.')
param sshPublicKey string

resource clients 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: identity }

resource card 'Microsoft.Network/networkInterfaces@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    ipConfigurations: [
      {
        name: 'private'
        properties: {
          privateIPAllocationMethod: 'Dynamic'
          subnet: { id: subnetId }
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2024-11-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${clients.id}': {} }
  }
  properties: {
    hardwareProfile: { vmSize: size }
    storageProfile: {
      imageReference: {
        publisher: 'Canonical'
        offer: 'ubuntu-24_04-lts'
        sku: 'server'
        version: 'latest'
      }
      osDisk: {
        createOption: 'FromImage'
        managedDisk: { storageAccountType: 'StandardSSD_LRS' }
        deleteOption: 'Delete'
      }
    }
    osProfile: {
      computerName: name
      adminUsername: adminName
      customData: loadFileAsBase64('../client-setup.yaml')
      linuxConfiguration: {
        disablePasswordAuthentication: true
        ssh: {
          publicKeys: [
            {
              path: '/home/${adminName}/.ssh/authorized_keys'
              keyData: sshPublicKey
            }
          ]
        }
      }
    }
    networkProfile: {
      networkInterfaces: [
        {
          id: card.id
          properties: { deleteOption: 'Delete' }
        }
      ]
    }
    securityProfile: {
      securityType: 'TrustedLaunch'
      uefiSettings: {
        secureBootEnabled: true
        vTpmEnabled: true
      }
    }
  }
}
