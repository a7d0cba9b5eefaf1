metadata description = 'The Kubernetes cluster: private, without local accounts, one pool for its own pods and one for silos that grows and shrinks with them.'

import { resourceTags } from 'tags.bicep'

@description('Name of the cluster.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Name of the cluster\'s identity.')
param clusterIdentity string

@description('Name of the nodes\' identity.')
param nodesIdentity string

@description('Name of the silos\' identity.')
param silosIdentity string

@description('Subnet of nodes.')
param nodeSubnetId string

@description('Subnet of pods.')
param podSubnetId string

@description('Log Analytics workspace for the cluster\'s own logs.')
param logsId string

@description('Size of the machines that silos run on.')
param siloMachine string

@description('Fewest machines for silos.')
param leastMachines int

@description('Most machines for silos.')
param mostMachines int

@description('Availability zones of machines; empty in regions without.')
param zones string[]

@description('Seconds that a silo has to drain and leave.')
param graceSeconds int

@description('Entra groups whose members administer the cluster.')
param adminGroupIds string[]

@description('Whether the cluster\'s own control plane is backed by a service level agreement.')
param highAvailability bool

resource controller 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: clusterIdentity }

resource nodes 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: nodesIdentity }

resource cluster 'Microsoft.ContainerService/managedClusters@2025-05-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Base'
    tier: highAvailability ? 'Standard' : 'Free'
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${controller.id}': {} }
  }
  properties: {
    dnsPrefix: name
    disableLocalAccounts: true
    enableRBAC: true
    aadProfile: {
      managed: true
      enableAzureRBAC: true
      adminGroupObjectIDs: adminGroupIds
    }
    apiServerAccessProfile: {
      enablePrivateCluster: true
      enablePrivateClusterPublicFQDN: false
      privateDNSZone: 'system'
    }
    identityProfile: {
      kubeletidentity: {
        resourceId: nodes.id
        clientId: nodes.properties.clientId
        objectId: nodes.properties.principalId
      }
    }
    autoUpgradeProfile: {
      upgradeChannel: 'stable'
      nodeOSUpgradeChannel: 'NodeImage'
    }
    networkProfile: {
      // Pods have addresses of the network: a client outside of the cluster connects to every silo by itself. An overlay's addresses end at the cluster.
      networkPlugin: 'azure'
      networkDataplane: 'cilium'
      networkPolicy: 'cilium'
      outboundType: 'userAssignedNATGateway'
      serviceCidr: '172.30.0.0/16'
      dnsServiceIP: '172.30.0.10'
    }
    autoScalerProfile: {
      // A machine is not taken away while a silo on it drains.
      'max-graceful-termination-sec': string(graceSeconds)
      'scale-down-unneeded-time': '10m'
      'skip-nodes-with-local-storage': 'false'
    }
    oidcIssuerProfile: { enabled: true }
    securityProfile: { workloadIdentity: { enabled: true } }
    workloadAutoScalerProfile: { keda: { enabled: true } }
    addonProfiles: {
      azureKeyvaultSecretsProvider: {
        enabled: true
        config: {
          enableSecretRotation: 'true'
          rotationPollInterval: '5m'
        }
      }
    }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        vmSize: 'Standard_D2s_v5'
        count: highAvailability ? 3 : 1
        availabilityZones: zones
        osType: 'Linux'
        osSKU: 'AzureLinux'
        vnetSubnetID: nodeSubnetId
        podSubnetID: podSubnetId
        enableNodePublicIP: false
        // For the cluster's own pods; what has no toleration goes to the machines of silos.
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
      }
      {
        name: 'silos'
        mode: 'User'
        vmSize: siloMachine
        count: leastMachines
        minCount: leastMachines
        maxCount: mostMachines
        enableAutoScaling: true
        availabilityZones: zones
        osType: 'Linux'
        osSKU: 'AzureLinux'
        vnetSubnetID: nodeSubnetId
        podSubnetID: podSubnetId
        enableNodePublicIP: false
        upgradeSettings: {
          maxSurge: '1'
          drainTimeoutInMinutes: max(1, (graceSeconds + 59) / 60)
        }
      }
    ]
  }
}

resource silos 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: silosIdentity

  // Whoever is the service account 'silo' in the namespace 'joblib' of this cluster is the silos' identity.
  resource federation 'federatedIdentityCredentials' = {
    name: 'silo'
    properties: {
      issuer: cluster.properties.oidcIssuerProfile.issuerURL
      subject: 'system:serviceaccount:joblib:silo'
      audiences: ['api://AzureADTokenExchange']
    }
  }
}

resource clusterLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: cluster
  properties: {
    workspaceId: logsId
    logs: [
      {
        category: 'kube-audit-admin'
        enabled: true
      }
      {
        category: 'cluster-autoscaler'
        enabled: true
      }
    ]
  }
}
