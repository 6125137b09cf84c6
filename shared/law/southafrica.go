package law

import "time"

const popiaText = "https://inforegulator.org.za"

var southAfricanLaw = []Pack{
	survey("za-popia", "Protection of Personal Information Act (South Africa)", "ZA", Day(2021, time.July, 1), 30,
		basis{"s. 23 POPIA with s. 56 PAIA", popiaText, Secondary},
		articles{
			identity: "s. 23(1) POPIA", found: "s. 23(1)(a) POPIA", scope: "s. 3 and 6 POPIA", processor: "s. 20 POPIA",
			unfounded: "s. 23(4) POPIA with s. 45 PAIA", excessive: "s. 23(4) POPIA with s. 45 PAIA", others: "s. 23(4) POPIA with s. 63 PAIA",
			trade: "s. 23(4) POPIA with s. 68 PAIA", keep: "s. 14(1) POPIA", accurate: "s. 24(2) POPIA",
		}),
}
