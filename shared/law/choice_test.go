package law

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every law answers for every ground: the list is what it says, and a new pack has to stand in it.
func TestEveryLawSaysWhatMayStandOnBeforeAnybodyChose(t *testing.T) {
	t.Parallel()
	const (
		nothing   = ""
		customers = ExistingCustomer
		objection = ExistingCustomer + " " + LegitimateInterests
		wayOut    = ExistingCustomer + " " + NoConsentNeeded + " " + LegitimateInterests
	)
	want := map[string]string{
		"eu-gdpr": objection, "uk-gdpr": objection, "ch-fadp": objection,
		"ca-pipeda": customers, "ca-qc": customers, "ca-ab": customers, "ca-bc": customers,
		"us-ca-ccpa": wayOut, "us-states": wayOut, "us-wa": customers,
		"br-lgpd": objection, "ar-ley-25326": customers, "au-privacy": customers, "nz-privacy": customers, "sg-pdpa": customers,
		"jp-appi": customers, "za-popia": objection,
		"in-dpdp": nothing, "kr-pipa": nothing, "th-pdpa": nothing, "tr-kvkk": nothing, "sa-pdpl": nothing, "cn-pipl": nothing,
	}
	for _, state := range strings.Fields("va co ct tx or nj mn ut mt ia ne de nh tn md in ky ri fl nv") {
		want["us-"+state] = wayOut
	}
	for _, p := range packs {
		var got []string
		for _, ground := range Defaults {
			article, ok := DefaultOn(p.ID, ground)
			if ok != (article != "") {
				t.Errorf("%s: %s is allowed: %v, by %q", p.ID, ground, ok, article)
			}
			if ok {
				got = append(got, ground)
			}
		}
		expected, known := want[p.ID]
		if !known || strings.Join(got, " ") != expected {
			t.Errorf("under %s %q may stand on, want %q", p.ID, got, expected)
		}
		if _, ok := DefaultOn(p.ID, "because"); ok {
			t.Errorf("under %s something may stand on because", p.ID)
		}
	}
	if _, ok := DefaultOn("xx-none", ExistingCustomer); ok {
		t.Error("a law that does not exist allows something")
	}
}

func TestTheSignalIsAnOptOutWhereALawSaysSo(t *testing.T) {
	t.Parallel()
	want := []string{
		"us-ca-ccpa", "us-co", "us-ct", "us-de", "us-md", "us-mn", "us-mt", "us-ne", "us-nh", "us-nj", "us-or", "us-states", "us-tx",
	}
	if got := slices.Sorted(maps.Keys(signals)); !slices.Equal(got, want) {
		t.Errorf("the signal is an opt-out under %v, want %v", got, want)
	}
	for _, p := range packs {
		if article, ok := DemandsGPC(p.ID); ok != slices.Contains(want, p.ID) || ok != (article != "") {
			t.Errorf("%s demands it: %v, by %q", p.ID, ok, article)
		}
	}
	for id := range signals {
		if _, ok := ByID(id); !ok {
			t.Errorf("%s is no law", id)
		}
	}
	for id := range interests {
		if _, ok := ByID(id); !ok {
			t.Errorf("%s is no law", id)
		}
	}
	for id := range customers {
		if _, ok := ByID(id); !ok {
			t.Errorf("%s is no law", id)
		}
	}
}
