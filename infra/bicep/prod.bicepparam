using 'main.bicep'

// Doubled where it can be: three silos of 14 cores at rest, forty at most.
param name = 'joblib'
param highAvailability = true
param siloMachine = 'Standard_D16s_v5'
param leastSilos = 3
param mostSilos = 40
param siloCores = 14
param siloMemoryGiB = 56
param sharedMemoryGiB = 24
param workers = 'Processes'
param drainSeconds = 600
param redisSize = 'Balanced_B1'
param keepTelemetryDays = 90
param dailyTelemetryGigabytes = 20
param tags = { environment: 'prod' }

// What differs from place to place comes from the environment; a variable that is missing stops the deployment before it starts.
param imageTag = readEnvironmentVariable('JOBLIB_IMAGE_TAG')
param manifestsRepository = readEnvironmentVariable('JOBLIB_MANIFESTS')
param adminGroupIds = [readEnvironmentVariable('JOBLIB_ADMIN_GROUP')]
param alertEmails = filter(split(readEnvironmentVariable('JOBLIB_ALERT_EMAILS', ''), ','), address => !empty(address))
param siloCertificate = readEnvironmentVariable('JOBLIB_SILO_PEM')
param clientCertificate = readEnvironmentVariable('JOBLIB_CLIENT_PEM')
param authorityCertificates = readEnvironmentVariable('JOBLIB_CA_PEM')
param clientSshPublicKey = readEnvironmentVariable('JOBLIB_SSH_KEY', '')
