metadata description = 'What the vault holds, and who reads it. Redis\' key goes from Redis into the vault and nowhere else.'

@description('Name of the vault.')
param vaultName string

@description('Name of the Redis instance.')
param redisName string

@description('Name of the cluster within Redis.')
param clusterName string

@description('Private key and certificate of silos, PEM.')
@secure()
param siloCertificate string

@description('Private key and certificate of clients, PEM.')
@secure()
param clientCertificate string

@description('Certificates of the CAs that vouch for silos and clients, PEM.')
@secure()
param authorityCertificates string

@description('Name of the identity that silos have.')
param silosIdentity string

@description('Name of the identity that clients have.')
param clientsIdentity string

@description('Key Vault Secrets User.')
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

@description('Who reads what: with a silo\'s certificate a client could pose as a silo.')
var grants = [
  { identity: silosIdentity, secret: 'cluster' }
  { identity: silosIdentity, secret: 'silo-pem' }
  { identity: silosIdentity, secret: 'ca-pem' }
  { identity: clientsIdentity, secret: 'cluster' }
  { identity: clientsIdentity, secret: 'client-pem' }
  { identity: clientsIdentity, secret: 'ca-pem' }
]

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: vaultName }

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' existing = {
  name: redisName

  resource database 'databases' existing = { name: 'default' }
}

resource cluster 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'cluster'
  properties: {
    contentType: 'text/plain'
    value: 'rediss://:${uriComponent(redis::database.listKeys().primaryKey)}@${redis.properties.hostName}:${redis::database.properties.port}?cluster=${clusterName}'
  }
}

resource silo 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'silo-pem'
  properties: {
    contentType: 'application/x-pem-file'
    value: siloCertificate
  }
}

resource client 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'client-pem'
  properties: {
    contentType: 'application/x-pem-file'
    value: clientCertificate
  }
}

resource authorities 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'ca-pem'
  properties: {
    contentType: 'application/x-pem-file'
    value: authorityCertificates
  }
}

resource granted 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = [for grant in grants: { parent: vault, name: grant.secret }]

resource readers 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [for grant in grants: { name: grant.identity }]

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, index) in grants: {
    name: guid(granted[index].id, readers[index].id, secretsUser)
    scope: granted[index]
    properties: {
      principalId: readers[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    }
    dependsOn: [cluster, silo, client, authorities]
  }
]
