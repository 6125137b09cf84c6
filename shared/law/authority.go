package law

import "strings"

// Regulator hears the complaints of people who live in a place.
type Regulator struct{ Name, URL string }

// regulators by residence. A subdivision that has none of its own has its country's.
var regulators = map[string]Regulator{
	// The European Economic Area. Germany's federal authority hears who complains
	// about post and telecommunications; everybody else goes to that of the Land.
	"EEA":   {"The data protection authority of your country, as the European Data Protection Board lists them", "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en"},
	"AT":    {"Österreichische Datenschutzbehörde", "https://www.dsb.gv.at"},
	"BE":    {"Autorité de protection des données / Gegevensbeschermingsautoriteit", "https://www.dataprotectionauthority.be"},
	"BG":    {"Комисия за защита на личните данни", "https://www.cpdp.bg"},
	"CY":    {"Γραφείο Επιτρόπου Προστασίας Δεδομένων Προσωπικού Χαρακτήρα", "https://www.dataprotection.gov.cy"},
	"CZ":    {"Úřad pro ochranu osobních údajů", "https://uoou.gov.cz"},
	"DE":    {"Die Bundesbeauftragte für den Datenschutz und die Informationsfreiheit (and the authority of your Land)", "https://www.bfdi.bund.de"},
	"DE-BB": {"Die Landesbeauftragte für den Datenschutz und für das Recht auf Akteneinsicht Brandenburg", "https://www.lda.brandenburg.de"},
	"DE-BE": {"Berliner Beauftragte für Datenschutz und Informationsfreiheit", "https://www.datenschutz-berlin.de"},
	"DE-BW": {"Der Landesbeauftragte für den Datenschutz und die Informationsfreiheit Baden-Württemberg", "https://www.baden-wuerttemberg.datenschutz.de"},
	"DE-BY": {"Bayerisches Landesamt für Datenschutzaufsicht", "https://www.lda.bayern.de"},
	"DE-HB": {"Der Landesbeauftragte für Datenschutz und Informationsfreiheit Bremen", "https://www.datenschutz.bremen.de"},
	"DE-HE": {"Der Hessische Beauftragte für Datenschutz und Informationsfreiheit", "https://datenschutz.hessen.de"},
	"DE-HH": {"Der Hamburgische Beauftragte für Datenschutz und Informationsfreiheit", "https://datenschutz-hamburg.de"},
	"DE-MV": {"Der Landesbeauftragte für Datenschutz und Informationsfreiheit Mecklenburg-Vorpommern", "https://www.datenschutz-mv.de"},
	"DE-NI": {"Der Landesbeauftragte für den Datenschutz Niedersachsen", "https://www.lfd.niedersachsen.de"},
	"DE-NW": {"Landesbeauftragte für Datenschutz und Informationsfreiheit Nordrhein-Westfalen", "https://www.ldi.nrw.de"},
	"DE-RP": {"Der Landesbeauftragte für den Datenschutz und die Informationsfreiheit Rheinland-Pfalz", "https://www.datenschutz.rlp.de"},
	"DE-SH": {"Unabhängiges Landeszentrum für Datenschutz Schleswig-Holstein", "https://www.datenschutzzentrum.de"},
	"DE-SL": {"Unabhängiges Datenschutzzentrum Saarland", "https://www.datenschutz.saarland.de"},
	"DE-SN": {"Sächsische Datenschutz- und Transparenzbeauftragte", "https://www.datenschutz.sachsen.de"},
	"DE-ST": {"Landesbeauftragte für den Datenschutz Sachsen-Anhalt", "https://datenschutz.sachsen-anhalt.de"},
	"DE-TH": {"Thüringer Landesbeauftragter für den Datenschutz und die Informationsfreiheit", "https://www.tlfdi.de"},
	"DK":    {"Datatilsynet", "https://www.datatilsynet.dk"},
	"EE":    {"Andmekaitse Inspektsioon", "https://www.aki.ee"},
	"ES":    {"Agencia Española de Protección de Datos", "https://www.aepd.es"},
	"FI":    {"Tietosuojavaltuutetun toimisto", "https://tietosuoja.fi"},
	"FR":    {"Commission nationale de l'informatique et des libertés (CNIL)", "https://www.cnil.fr/fr/plaintes"},
	"GR":    {"Αρχή Προστασίας Δεδομένων Προσωπικού Χαρακτήρα", "https://www.dpa.gr"},
	"HR":    {"Agencija za zaštitu osobnih podataka", "https://azop.hr"},
	"HU":    {"Nemzeti Adatvédelmi és Információszabadság Hatóság", "https://www.naih.hu"},
	"IE":    {"Data Protection Commission", "https://www.dataprotection.ie"},
	"IS":    {"Persónuvernd", "https://www.personuvernd.is"},
	"IT":    {"Garante per la protezione dei dati personali", "https://www.garanteprivacy.it"},
	"LI":    {"Datenschutzstelle Fürstentum Liechtenstein", "https://www.datenschutzstelle.li"},
	"LT":    {"Valstybinė duomenų apsaugos inspekcija", "https://vdai.lrv.lt"},
	"LU":    {"Commission nationale pour la protection des données", "https://cnpd.public.lu"},
	"LV":    {"Datu valsts inspekcija", "https://www.dvi.gov.lv"},
	"MT":    {"Information and Data Protection Commissioner", "https://idpc.org.mt"},
	"NL":    {"Autoriteit Persoonsgegevens", "https://www.autoriteitpersoonsgegevens.nl"},
	"NO":    {"Datatilsynet", "https://www.datatilsynet.no"},
	"PL":    {"Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl"},
	"PT":    {"Comissão Nacional de Proteção de Dados", "https://www.cnpd.pt"},
	"RO":    {"Autoritatea Națională de Supraveghere a Prelucrării Datelor cu Caracter Personal", "https://www.dataprotection.ro"},
	"SE":    {"Integritetsskyddsmyndigheten", "https://www.imy.se"},
	"SI":    {"Informacijski pooblaščenec", "https://www.ip-rs.si"},
	"SK":    {"Úrad na ochranu osobných údajov Slovenskej republiky", "https://dataprotection.gov.sk"},

	"CH": {"Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter (EDÖB / PFPDT)", "https://www.edoeb.admin.ch"},
	"GB": {"Information Commission (ICO)", "https://ico.org.uk/make-a-complaint/"},
	"TR": {"Kişisel Verileri Koruma Kurumu", "https://www.kvkk.gov.tr"},

	// The Americas. In the United States the attorney general, unless somebody else is named.
	"AR":    {"Agencia de Acceso a la Información Pública", "https://www.argentina.gob.ar/aaip"},
	"BR":    {"Agência Nacional de Proteção de Dados (ANPD)", "https://www.gov.br/anpd"},
	"CA":    {"Office of the Privacy Commissioner of Canada", "https://www.priv.gc.ca"},
	"CA-AB": {"Office of the Information and Privacy Commissioner of Alberta", "https://oipc.ab.ca"},
	"CA-BC": {"Office of the Information and Privacy Commissioner for British Columbia", "https://www.oipc.bc.ca"},
	"CA-QC": {"Commission d'accès à l'information du Québec", "https://www.cai.gouv.qc.ca"},
	"US-CA": {"California Privacy Protection Agency", "https://cppa.ca.gov/webapplications/complaint"},
	"US-CO": {"Colorado Attorney General", "https://coag.gov/file-complaint/"},
	"US-CT": {"Connecticut Attorney General", "https://portal.ct.gov/ag"},
	"US-DE": {"Delaware Department of Justice", "https://attorneygeneral.delaware.gov"},
	"US-FL": {"Florida Attorney General", "https://www.myfloridalegal.com"},
	"US-IA": {"Iowa Attorney General", "https://www.iowaattorneygeneral.gov"},
	"US-IN": {"Indiana Attorney General", "https://www.in.gov/attorneygeneral/"},
	"US-KY": {"Kentucky Attorney General", "https://www.ag.ky.gov"},
	"US-MD": {"Maryland Attorney General", "https://www.marylandattorneygeneral.gov"},
	"US-MN": {"Minnesota Attorney General", "https://www.ag.state.mn.us"},
	"US-MT": {"Montana Department of Justice", "https://dojmt.gov"},
	"US-NE": {"Nebraska Attorney General", "https://ago.nebraska.gov"},
	"US-NH": {"New Hampshire Department of Justice", "https://www.doj.nh.gov"},
	"US-NJ": {"New Jersey Division of Consumer Affairs", "https://www.njconsumeraffairs.gov"},
	"US-NV": {"Nevada Attorney General", "https://ag.nv.gov"},
	"US-OR": {"Oregon Department of Justice", "https://www.doj.state.or.us"},
	"US-RI": {"Rhode Island Attorney General", "https://riag.ri.gov"},
	"US-TN": {"Tennessee Attorney General", "https://www.tn.gov/attorneygeneral.html"},
	"US-TX": {"Texas Attorney General", "https://www.texasattorneygeneral.gov/consumer-protection/file-consumer-complaint"},
	"US-UT": {"Utah Division of Consumer Protection", "https://dcp.utah.gov"},
	"US-VA": {"Virginia Attorney General", "https://www.oag.state.va.us"},
	"US-WA": {"Washington State Attorney General", "https://www.atg.wa.gov/file-complaint"},

	"AU": {"Office of the Australian Information Commissioner", "https://www.oaic.gov.au"},
	"CN": {"国家互联网信息办公室 (Cyberspace Administration of China)", "https://www.cac.gov.cn"},
	"IN": {"Data Protection Board of India", "https://www.meity.gov.in"}, // the ministry's address
	"JP": {"個人情報保護委員会 (Personal Information Protection Commission)", "https://www.ppc.go.jp"},
	"KR": {"개인정보보호위원회 (Personal Information Protection Commission)", "https://www.pipc.go.kr"},
	"NZ": {"Office of the Privacy Commissioner", "https://www.privacy.org.nz"},
	"SA": {"Saudi Data and Artificial Intelligence Authority", "https://sdaia.gov.sa"},
	"SG": {"Personal Data Protection Commission", "https://www.pdpc.gov.sg"},
	"TH": {"สำนักงานคณะกรรมการคุ้มครองข้อมูลส่วนบุคคล (Office of the PDPC)", "https://www.pdpc.or.th"},
	"ZA": {"Information Regulator (South Africa)", "https://inforegulator.org.za"},
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
	return Regulator{}, false
}
