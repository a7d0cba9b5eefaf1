metadata description = 'Log Analytics and Application Insights behind a private link scope: telemetry comes in by the network only.'

import { resourceTags } from 'tags.bicep'

@description('Start of every resource\'s name.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most gigabytes of telemetry a day; what exceeds it is dropped until the next day.')
@minValue(1)
@maxValue(1000)
param dailyGigabytes int

@description('Whether people who may read the telemetry can do so from outside of the network, in the portal.')
param queryFromInternet bool

var query = queryFromInternet ? 'Enabled' : 'Disabled'

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyGigabytes }
    features: { disableLocalAuth: true }
    publicNetworkAccessForIngestion: 'Disabled'
    publicNetworkAccessForQuery: query
  }
}

// Local authentication stays on: the collector's Azure Monitor exporter knows only the connection string. Ingestion is closed to everybody outside of the network.
resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'other'
  properties: {
    Application_Type: 'other'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: false
    publicNetworkAccessForIngestion: 'Disabled'
    publicNetworkAccessForQuery: query
  }
}

resource scope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'PrivateOnly'
      queryAccessMode: 'Open'
    }
  }

  resource logsInScope 'scopedResources' = {
    name: 'logs'
    properties: { linkedResourceId: logs.id }
  }

  resource insightsInScope 'scopedResources' = {
    name: 'insights'
    properties: { linkedResourceId: insights.id }
  }
}

@description('Resource id of the private link scope.')
output scopeId string = scope.id

@description('Resource id of the Log Analytics workspace.')
output logsId string = logs.id
