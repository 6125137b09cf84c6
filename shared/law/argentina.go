package law

import "time"

const ley25326Text = "https://servicios.infoleg.gob.ar/infolegInternet/anexos/60000-64999/64790/texact.htm"

var argentineLaw = []Pack{{
	ID:      "ar-ley-25326",
	Name:    "Ley de Protección de los Datos Personales 25.326 (Argentina)",
	From:    Day(2000, time.November, 2),
	Sources: []string{ley25326Text},
	covers:  []string{"AR"},

	limits: []limit{
		{rights: []string{"access", "know", "portability"}, span: Span{10, Days}, basis: basis{"Art. 14(2) Ley 25.326", ley25326Text, Secondary}},
		{
			span: Span{5, BusinessDays}, basis: basis{"Art. 16(2) Ley 25.326", ley25326Text, Secondary},
			readings: []reading{{
				text: "Other sources say five days without saying which.", span: Span{5, Days},
				basis: basis{"Art. 16(2) Ley 25.326", ley25326Text, Unverified},
			}},
		},
	},
	receipt: basis{"Art. 14(2) and 16(2) Ley 25.326", ley25326Text, Secondary},
	proofs: []bound{{
		forbid: []Proof{Notarised},
		why:    "Rectification, updating and deletion are free of charge, and so is access every six months.",
		basis:  basis{"Art. 14(3) and 19 Ley 25.326", ley25326Text, Unverified},
	}},
	reasons: articles{
		identity: "Art. 14(1) Ley 25.326", found: "Art. 14(1) Ley 25.326", scope: "Art. 1 Ley 25.326", processor: "Art. 25 Ley 25.326",
		unfounded: "Art. 16(1) Ley 25.326", excessive: "Art. 14(3) Ley 25.326", others: "Art. 17(1) Ley 25.326",
		keep: "Art. 16(5) Ley 25.326", accurate: "Art. 16(1) Ley 25.326",
	}.reasons(),
	withheld: withhold(credentialKinds, basis{"Art. 9 Ley 25.326", ley25326Text, Unverified}),
	questions: []string{
		"Sources disagree about the figures. The article's own words were read in copies: ten days of the calendar to show, five days of business to correct or delete.",
	},
}}
