metadata description = 'What the vault holds. Redis\' key goes from Redis into the vault and nowhere else.'

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
