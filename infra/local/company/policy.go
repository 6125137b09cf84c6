package company

import _ "embed" // for the policy file

// Policy is the sample company's policy file, as it is for a run on 127.0.0.1:8080.
//
//go:embed policy.yaml
var Policy []byte
