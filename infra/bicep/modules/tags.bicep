@description('Names and values of tags.')
@export()
type resourceTags = { *: string }
