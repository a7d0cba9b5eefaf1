metadata description = 'A private Orleans.Joblib cluster: silos on Kubernetes, membership in Redis, arrays and code in blob storage, certificates in a vault, telemetry in Application Insights.'

import { resourceTags } from 'modules/tags.bicep'

targetScope = 'resourceGroup'

@description('Start of every resource\'s name: lower-case letters and digits.')
@minLength(3)
@maxLength(10)
param name string = 'joblib'

@description('Azure region. Default: the resource group\'s.')
param location string = resourceGroup().location

@description('Tags of every resource.')
param tags resourceTags = {}

@description('Address range of the network, /16: it must not overlap with networks that it is peered with.')
param addressPrefix string = '10.20.0.0/16'

@description('Range that clients connect from: the network itself and its peers.')
param clientRange string = '10.0.0.0/8'

@description('Name of the cluster in its string.')
param clusterName string = 'joblib'

@description('Whether what can be doubled is doubled: Redis, the control plane, storage and machines over zones. Off for clusters that come and go, whose vaults can then be purged too.')
param highAvailability bool

@description('Availability zones of machines; empty in regions without.')
param zones string[] = highAvailability ? ['1', '2', '3'] : []

@description('Size of the machines that silos run on. One or more silos fit into it, beside about 1 core and 2 GiB that Kubernetes takes.')
param siloMachine string

@description('Fewest silos, and fewest machines for them.')
@minValue(1)
@maxValue(100)
param leastSilos int

@description('Most silos, and most machines for them.')
@minValue(1)
@maxValue(100)
param mostSilos int

@description('Cores of a silo, each a slot.')
@minValue(1)
@maxValue(96)
param siloCores int

@description('Memory of a silo, GiB: calls, code and /dev/shm together.')
@minValue(2)
@maxValue(512)
param siloMemoryGiB int

@description('Most of a silo\'s memory that arrays in /dev/shm take, GiB.')
@minValue(1)
@maxValue(256)
param sharedMemoryGiB int

@description('Where calls run: threads of the silo, or worker processes.')
@allowed(['Threads', 'Processes'])
param workers string = 'Threads'

@description('Seconds that batches in hand have to end when a silo is taken away.')
@minValue(5)
@maxValue(3600)
param drainSeconds int = 300

@description('Tag of the silo\'s image in the registry.')
param imageTag string

@description('Git repository that holds infra/kubernetes, an https URL that needs no password.')
param manifestsRepository string

@description('Branch of it.')
param manifestsBranch string = 'main'

@description('Size of Redis; the smallest holds the membership of any cluster.')
@allowed(['Balanced_B0', 'Balanced_B1', 'Balanced_B3', 'Balanced_B5'])
param redisSize string = 'Balanced_B0'

@description('Days after which a blob that nobody deleted goes. Longer than the longest run.')
@minValue(1)
@maxValue(365)
param keepBlobDays int = 7

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param keepTelemetryDays int = 30

@description('Most gigabytes of telemetry a day.')
@minValue(1)
@maxValue(1000)
param dailyTelemetryGigabytes int = 5

@description('Whether people who may read the telemetry can do so from outside of the network, in the portal.')
param queryTelemetryFromInternet bool = false

@description('Addresses that get a mail when something is wrong; empty: alerts are to be seen in the portal only.')
param alertEmails string[] = []

@description('Action groups that are told when something is wrong.')
param alertGroupIds string[] = []

@description('Batches, executing or waiting, for each slot: more of them for a whole hour is an alert.')
@minValue(1)
@maxValue(1000)
param alertBatchesPerSlot int = 4

@description('Tag of the telemetry collector\'s image.')
param collectorTag string = '0.130.0'

@description('Entra groups whose members administer the Kubernetes cluster.')
param adminGroupIds string[]

@description('Public SSH key of the administrator of a machine for clients inside the network; empty for no such machine.')
param clientSshPublicKey string = ''

@description('Size of the machine for clients.')
param clientMachine string = 'Standard_D4s_v5'

@description('Private key and certificate of silos, PEM. For mutual TLS: docs/deploy.md says how to issue it.')
@secure()
@minLength(1)
param siloCertificate string

@description('Private key and certificate of clients, PEM.')
@secure()
@minLength(1)
param clientCertificate string

@description('Certificates of the CAs that vouch for silos and clients, PEM.')
@secure()
@minLength(1)
param authorityCertificates string

var suffix = uniqueString(resourceGroup().id, name)
var short = '${name}${suffix}'

// A silo's own goodbye takes up to 15 s after its drain.
var graceSeconds = drainSeconds + 15

var names = {
  cluster: name
  insights: name
  network: name
  redis: '${name}-${suffix}'
  vault: short
  client: '${name}-client'
}
var identityNames = {
  cluster: '${name}-cluster'
  nodes: '${name}-nodes'
  silos: '${name}-silos'
  clients: '${name}-clients'
}

var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  redis: 'privatelink.redis.azure.net'
  registry: 'privatelink.azurecr.io'
}
var telemetryZones = [
  'privatelink.monitor.azure.com'
  'privatelink.oms.opinsights.azure.com'
  'privatelink.ods.opinsights.azure.com'
  'privatelink.agentsvc.azure-automation.net'
]

module network 'modules/network.bicep' = {
  name: 'network'
  params: {
    name: name
    location: location
    tags: tags
    addressPrefix: addressPrefix
  }
}

module dns 'modules/zones.bicep' = {
  name: 'zones'
  params: {
    names: concat([zoneNames.blob, zoneNames.vault, zoneNames.redis, zoneNames.registry], telemetryZones)
    networkId: network.outputs.networkId
    tags: tags
  }
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: {
    clusterIdentity: identityNames.cluster
    nodesIdentity: identityNames.nodes
    silosIdentity: identityNames.silos
    clientsIdentity: identityNames.clients
    location: location
    tags: tags
    networkName: names.network
  }
  dependsOn: [network]
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    retentionDays: keepTelemetryDays
    dailyGigabytes: dailyTelemetryGigabytes
    queryFromInternet: queryTelemetryFromInternet
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    logsId: monitoring.outputs.logsId
    emails: alertEmails
    groupIds: alertGroupIds
    batchesPerSlot: alertBatchesPerSlot
    siloMemoryGiB: siloMemoryGiB
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  params: {
    name: short
    location: location
    tags: tags
    nodesIdentity: identityNames.nodes
    clientsIdentity: identityNames.clients
    collectorSource: 'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib'
  }
  dependsOn: [identities]
}

module redis 'modules/redis.bicep' = {
  name: 'redis'
  params: {
    name: names.redis
    location: location
    tags: tags
    sku: redisSize
    highAvailability: highAvailability
  }
}

module client 'modules/client.bicep' = if (!empty(clientSshPublicKey)) {
  name: 'client'
  params: {
    name: names.client
    location: location
    tags: tags
    subnetId: network.outputs.clientSubnetId
    size: clientMachine
    adminName: name
    identity: identityNames.clients
    sshPublicKey: clientSshPublicKey
  }
  dependsOn: [identities]
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: short
    location: location
    tags: tags
    sku: highAvailability ? 'Standard_ZRS' : 'Standard_LRS'
    identities: [identityNames.silos, identityNames.clients]
    keepDays: keepBlobDays
  }
  dependsOn: [identities]
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: names.vault
    location: location
    tags: tags
    allowPurge: !highAvailability
  }
}

module secrets 'modules/secrets.bicep' = {
  name: 'secrets'
  params: {
    vaultName: names.vault
    redisName: names.redis
    clusterName: clusterName
    siloCertificate: siloCertificate
    clientCertificate: clientCertificate
    authorityCertificates: authorityCertificates
    silosIdentity: identityNames.silos
    clientsIdentity: identityNames.clients
  }
  dependsOn: [vault, redis, identities]
}

module registryEndpoint 'modules/endpoint.bicep' = {
  name: 'registry-endpoint'
  params: {
    name: '${name}-registry'
    location: location
    tags: tags
    resourceId: registry.outputs.registryId
    groupId: 'registry'
    subnetId: network.outputs.endpointSubnetId
    zoneNames: [zoneNames.registry]
  }
  dependsOn: [dns]
}

module redisEndpoint 'modules/endpoint.bicep' = {
  name: 'redis-endpoint'
  params: {
    name: '${name}-redis'
    location: location
    tags: tags
    resourceId: redis.outputs.redisId
    groupId: 'redisEnterprise'
    subnetId: network.outputs.endpointSubnetId
    zoneNames: [zoneNames.redis]
  }
  dependsOn: [dns]
}

module storageEndpoint 'modules/endpoint.bicep' = {
  name: 'storage-endpoint'
  params: {
    name: '${name}-storage'
    location: location
    tags: tags
    resourceId: storage.outputs.accountId
    groupId: 'blob'
    subnetId: network.outputs.endpointSubnetId
    zoneNames: [zoneNames.blob]
  }
  dependsOn: [dns]
}

module vaultEndpoint 'modules/endpoint.bicep' = {
  name: 'vault-endpoint'
  params: {
    name: '${name}-vault'
    location: location
    tags: tags
    resourceId: vault.outputs.vaultId
    groupId: 'vault'
    subnetId: network.outputs.endpointSubnetId
    zoneNames: [zoneNames.vault]
  }
  dependsOn: [dns]
}

module telemetryEndpoint 'modules/endpoint.bicep' = {
  name: 'telemetry-endpoint'
  params: {
    name: '${name}-telemetry'
    location: location
    tags: tags
    resourceId: monitoring.outputs.scopeId
    groupId: 'azuremonitor'
    subnetId: network.outputs.endpointSubnetId
    zoneNames: concat(telemetryZones, [zoneNames.blob])
  }
  dependsOn: [dns]
}

module cluster 'modules/cluster.bicep' = {
  name: 'cluster'
  params: {
    name: names.cluster
    location: location
    tags: tags
    clusterIdentity: identityNames.cluster
    nodesIdentity: identityNames.nodes
    silosIdentity: identityNames.silos
    nodeSubnetId: network.outputs.nodeSubnetId
    podSubnetId: network.outputs.podSubnetId
    logsId: monitoring.outputs.logsId
    siloMachine: siloMachine
    leastMachines: leastSilos
    mostMachines: mostSilos
    zones: zones
    graceSeconds: graceSeconds
    adminGroupIds: adminGroupIds
    highAvailability: highAvailability
  }
  dependsOn: [identities, registry]
}

module silos 'modules/silos.bicep' = {
  name: 'silos'
  params: {
    clusterName: names.cluster
    repository: manifestsRepository
    branch: manifestsBranch
    insightsName: names.insights
    silosIdentity: identityNames.silos
    values: {
      image: '${registry.outputs.loginServer}/joblib-silo:${imageTag}'
      collectorImage: '${registry.outputs.loginServer}/otel-collector:${collectorTag}'
      vault: names.vault
      container: storage.outputs.containerUrl
      leastSilos: leastSilos
      mostSilos: mostSilos
      cores: siloCores
      memoryGiB: siloMemoryGiB
      sharedMemoryGiB: sharedMemoryGiB
      workers: workers
      drainSeconds: drainSeconds
      graceSeconds: graceSeconds
      clientRange: clientRange
    }
  }
  dependsOn: [
    cluster
    secrets
    registryEndpoint
    redisEndpoint
    storageEndpoint
    vaultEndpoint
    telemetryEndpoint
  ]
}

@description('What clients inside of the network connect to, without the password of Redis.')
output clientConnectionString string = 'rediss://${redis.outputs.hostName}:${redis.outputs.port}?cluster=${clusterName}'

@description('Prints what clients connect to, password included, for whoever may read the vault\'s secrets.')
output clientConnectionStringCommand string = 'az keyvault secret show --vault-name ${names.vault} --name cluster --query value --output tsv'

@description('Where the silo\'s image goes.')
output registry string = registry.outputs.loginServer

@description('Vault with the certificates of clients: client-pem and ca-pem.')
output vault string = names.vault

@description('Name of the Kubernetes cluster.')
output kubernetesCluster string = names.cluster

@description('Container for arrays and code.')
output blobContainer string = storage.outputs.containerUrl

@description('Machine for clients inside of the network; empty when there is none.')
output clientMachineName string = empty(clientSshPublicKey) ? '' : names.client
