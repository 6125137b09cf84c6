package stack

// Settings are parameters that whoever deploys from source has fixed, by their names.
// They become literals of the template: CloudFormation prefers the value that a
// parameter had before to a default that changed.
type Settings map[string]string
