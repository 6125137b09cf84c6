package law

import (
	"slices"
	"strings"
)

// Regulator hears the complaints of people who live in a place.
type Regulator struct{ Name, URL string }

// regulators by residence. A subdivision that has none of its own has its country's.
var regulators = map[string]Regulator{
	"AT":    {"Österreichische Datenschutzbehörde", "https://www.dsb.gv.at"},
	"BE":    {"Autorité de protection des données / Gegevensbeschermingsautoriteit", "https://www.dataprotectionauthority.be"},
	"CA":    {"Office of the Privacy Commissioner of Canada", "https://www.priv.gc.ca"},
	"CA-AB": {"Office of the Information and Privacy Commissioner of Alberta", "https://oipc.ab.ca"},
	"CA-BC": {"Office of the Information and Privacy Commissioner for British Columbia", "https://www.oipc.bc.ca"},
	"CA-QC": {"Commission d'accès à l'information du Québec", "https://www.cai.gouv.qc.ca"},
	"DE":    {"Die Bundesbeauftragte für den Datenschutz und die Informationsfreiheit (and the authority of your Land)", "https://www.bfdi.bund.de"},
	"DK":    {"Datatilsynet", "https://www.datatilsynet.dk"},
	"ES":    {"Agencia Española de Protección de Datos", "https://www.aepd.es"},
	"FI":    {"Tietosuojavaltuutetun toimisto", "https://tietosuoja.fi"},
	"FR":    {"Commission nationale de l'informatique et des libertés (CNIL)", "https://www.cnil.fr/fr/plaintes"},
	"GB":    {"Information Commissioner's Office (ICO)", "https://ico.org.uk/make-a-complaint/"},
	"IE":    {"Data Protection Commission", "https://www.dataprotection.ie"},
	"IT":    {"Garante per la protezione dei dati personali", "https://www.garanteprivacy.it"},
	"LU":    {"Commission nationale pour la protection des données", "https://cnpd.public.lu"},
	"NL":    {"Autoriteit Persoonsgegevens", "https://www.autoriteitpersoonsgegevens.nl"},
	"NO":    {"Datatilsynet", "https://www.datatilsynet.no"},
	"PL":    {"Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl"},
	"PT":    {"Comissão Nacional de Proteção de Dados", "https://www.cnpd.pt"},
	"SE":    {"Integritetsskyddsmyndigheten", "https://www.imy.se"},
	"US-CA": {"California Privacy Protection Agency", "https://cppa.ca.gov/webapplications/complaint"},
}

// board lists the authorities of the countries that have no row of their own.
var board = Regulator{
	"The data protection authority of your country, as listed by the European Data Protection Board",
	"https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
}

// Authority returns who hears a complaint of a person who lives in a place;
// false if we do not know.
func Authority(residence string) (Regulator, bool) {
	country, _, _ := strings.Cut(residence, "-")
	for _, place := range []string{residence, country} {
		if r, ok := regulators[place]; ok {
			return r, true
		}
	}
	if slices.Contains(europe[0].covers, country) {
		return board, true
	}
	return Regulator{}, false
}
