package stack_test

import "testing"

// What is switched off makes no noise: a schedule, a rule or a queue that nobody reads
// looks like one that has nothing to do.
func TestNothingIsSwitchedOff(t *testing.T) {
	for logical, r := range load(t).Resources {
		for property, on := range map[string]any{"State": "ENABLED", "Enabled": true} {
			switch r.Type {
			case "AWS::Scheduler::Schedule", "AWS::Events::Rule", "AWS::Lambda::EventSourceMapping":
				if got := r.Properties[property]; got != nil && got != on {
					t.Errorf("%s: %s is %v", logical, property, got)
				}
			}
		}
	}
}

// Every log ends, not only those of functions.
func TestNoLogIsKeptForEver(t *testing.T) {
	for logical, r := range load(t).all("AWS::Logs::LogGroup") {
		if target(r.Properties["RetentionInDays"]) != "LogDays" {
			t.Errorf("%s is kept for %v days, want what the operator says", logical, r.Properties["RetentionInDays"])
		}
	}
}

// The API is the only way in: it has the bounds, the authorizer and the log.
func TestFunctionsHaveNoAddressOfTheirOwn(t *testing.T) {
	for logical := range load(t).all("AWS::Lambda::Url") {
		t.Errorf("%s opens a function to everybody, past the API", logical)
	}
}
