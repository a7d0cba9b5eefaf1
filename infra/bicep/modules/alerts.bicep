metadata description = 'What should wake somebody: rules over what silos tell, as docs/operations.md has them.'

import { resourceTags } from 'tags.bicep'

@description('Start of every resource\'s name.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Log Analytics workspace that telemetry goes to.')
param logsId string

@description('Addresses that get a mail.')
param emails string[]

@description('Action groups that are told.')
param groupIds string[]

@description('Batches, executing or waiting, for each slot: more of them for a whole hour is too many.')
param batchesPerSlot int

@description('Memory of a silo, GiB.')
param siloMemoryGiB int

// Silos send every 10 s; a counter's value is what came since the last time (deltas, infra/kubernetes/silo.yaml), an up-down counter's what is.
var rules = [
  {
    name: 'no-silo'
    description: 'No silo has said for 10 minutes that it has slots: none runs, or none reaches the collector.'
    severity: 0
    window: 'PT10M'
    query: 'AppMetrics | where Name == "joblib.slots" | summarize arg_max(TimeGenerated, Sum) by AppRoleInstance | summarize Value = sum(Sum)'
    aggregation: 'Total'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'errors'
    description: 'A silo lost work: it logged an error.'
    severity: 1
    window: 'PT5M'
    query: 'AppTraces | where AppRoleName endswith "joblib-silo" and SeverityLevel >= 3 | summarize Value = count()'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'silo-restarts'
    description: 'A silo has started again and again at the same address within an hour.'
    severity: 2
    window: 'PT1H'
    query: 'AppTraces | where Message matches regex "^Silo .* is ready with" | summarize Value = count() by AppRoleInstance | summarize Value = max(Value)'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: 2
  }
  {
    name: 'failed-runs'
    description: 'A run failed, or its client was lost.'
    severity: 3
    window: 'PT15M'
    query: 'AppMetrics | where Name == "joblib.runs.ended" and tostring(Properties.outcome) in ("failed", "lost") | summarize Value = sum(Sum)'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'queue'
    description: 'For an hour calls have waited: the cluster is at its most silos, or does not grow.'
    severity: 3
    window: 'PT1H'
    query: 'AppMetrics | where Name in ("joblib.slots", "joblib.slots.in_use", "joblib.batches.queued") | summarize Mean = sum(Sum) / sum(ItemCount) by Name, AppRoleInstance, bin(TimeGenerated, 5m) | summarize Slots = sumif(Mean, Name == "joblib.slots"), Batches = sumif(Mean, Name != "joblib.slots") by TimeGenerated | extend Value = Batches / iff(Slots > 0, Slots, 1.0)'
    aggregation: 'Minimum'
    operator: 'GreaterThan'
    threshold: batchesPerSlot
  }
  {
    name: 'memory'
    description: 'A silo has nearly all of its memory in use: the next array or closure is the kernel\'s to kill.'
    severity: 2
    window: 'PT10M'
    query: 'AppMetrics | where Name == "dotnet.process.memory.working_set" | summarize Least = min(Min) by AppRoleInstance | summarize Value = max(Least) / ${siloMemoryGiB} / exp2(30) * 100'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: 90
  }
]

resource mails 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emails)) {
  name: '${name}-mails'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take(name, 12)
    enabled: true
    emailReceivers: [
      for (address, i) in emails: {
        name: 'mail${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${rule.name}'
      description: '${rule.description} See docs/operations.md.'
      severity: rule.severity
      enabled: true
      autoMitigate: true
      scopes: [logsId]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      // The tables are there once the first silo has told something.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Value'
            timeAggregation: rule.aggregation
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: concat(groupIds, empty(emails) ? [] : [mails.id])
      }
    }
  }
]
