using 'main.bicep'

// Cheap, and gone without a trace: one silo of 3 cores at rest, four at most.
param name = 'joblibdev'
param highAvailability = false
param siloMachine = 'Standard_D4s_v5'
param leastSilos = 1
param mostSilos = 4
param siloCores = 3
param siloMemoryGiB = 10
param sharedMemoryGiB = 3
param drainSeconds = 60
param queryTelemetryFromInternet = true
param tags = { environment: 'dev' }

// What differs from place to place comes from the environment; a variable that is missing stops the deployment before it starts.
param imageTag = readEnvironmentVariable('JOBLIB_IMAGE_TAG')
param manifestsRepository = readEnvironmentVariable('JOBLIB_MANIFESTS')
param adminGroupIds = [readEnvironmentVariable('JOBLIB_ADMIN_GROUP')]
param alertEmails = filter(split(readEnvironmentVariable('JOBLIB_ALERT_EMAILS', ''), ','), address => !empty(address))
param siloCertificate = readEnvironmentVariable('JOBLIB_SILO_PEM')
param clientCertificate = readEnvironmentVariable('JOBLIB_CLIENT_PEM')
param authorityCertificates = readEnvironmentVariable('JOBLIB_CA_PEM')
param clientSshPublicKey = readEnvironmentVariable('JOBLIB_SSH_KEY', '')
