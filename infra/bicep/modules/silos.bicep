metadata description = 'The silos: the cluster takes infra/kubernetes from Git by itself (no way in is needed) and puts these values in.'

@description('Name of the cluster.')
param clusterName string

@description('Git repository that holds infra/kubernetes.')
param repository string

@description('Branch of it.')
param branch string

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the silos\' identity.')
param silosIdentity string

@description('What the manifests are filled in with. One place that names every variable of infra/kubernetes.')
param values siloValues

@description('Values that the manifests of infra/kubernetes need.')
@export()
type siloValues = {
  @description('Image of the silo.')
  image: string
  @description('Image of the collector.')
  collectorImage: string
  @description('Vault with certificates and the cluster string.')
  vault: string
  @description('URL of the blob container.')
  container: string
  @description('Fewest silos.')
  leastSilos: int
  @description('Most silos.')
  mostSilos: int
  @description('Cores of a silo.')
  cores: int
  @description('Memory of a silo, GiB, /dev/shm included.')
  memoryGiB: int
  @description('Most of it that /dev/shm takes, GiB.')
  sharedMemoryGiB: int
  @description('Threads or Processes.')
  workers: string
  @description('Seconds that batches in hand have to end.')
  drainSeconds: int
  @description('Seconds that a silo has to drain and leave.')
  graceSeconds: int
  @description('Range that clients connect from.')
  clientRange: string
}

resource cluster 'Microsoft.ContainerService/managedClusters@2025-05-01' existing = { name: clusterName }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: silosIdentity }

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource flux 'Microsoft.KubernetesConfiguration/extensions@2024-11-01' = {
  name: 'flux'
  scope: cluster
  properties: {
    extensionType: 'microsoft.flux'
    autoUpgradeMinorVersion: true
  }
}

resource silos 'Microsoft.KubernetesConfiguration/fluxConfigurations@2025-04-01' = {
  name: 'silos'
  scope: cluster
  properties: {
    scope: 'cluster'
    namespace: 'flux-system'
    sourceKind: 'GitRepository'
    gitRepository: {
      url: repository
      repositoryRef: { branch: branch }
      syncIntervalInSeconds: 600
    }
    kustomizations: {
      silos: {
        path: './infra/kubernetes'
        prune: true
        wait: true
        syncIntervalInSeconds: 600
        retryIntervalInSeconds: 60
        timeoutInSeconds: 600
        postBuild: {
          substitute: {
            silo_image: values.image
            collector_image: values.collectorImage
            silo_identity: identity.properties.clientId
            tenant: tenant().tenantId
            vault: values.vault
            blob_container: values.container
            least_silos: string(values.leastSilos)
            most_silos: string(values.mostSilos)
            silo_cores: string(values.cores)
            silo_memory_gib: string(values.memoryGiB)
            shared_memory_gib: string(values.sharedMemoryGiB)
            silo_workers: values.workers
            drain_seconds: string(values.drainSeconds)
            grace_seconds: string(values.graceSeconds)
            client_range: values.clientRange
            insights: insights.properties.ConnectionString
          }
        }
      }
    }
  }
  dependsOn: [flux]
}
