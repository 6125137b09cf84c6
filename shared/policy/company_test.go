package policy_test

import (
	"os"
	"testing"

	"rightsdesk/shared/policy"
)

func TestTheSampleCompanysPolicyIsAccepted(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Parse(file); err != nil {
		t.Error(err)
	}
}
