package company

// What people and their things are made of. Nobody here exists: names are
// common ones drawn by chance, streets and books are invented, telephone numbers
// and IP addresses come from ranges set aside for examples.

var firstNames = []string{
	"Amina", "Anders", "Beatriz", "Bram", "Chiara", "Chidi", "Clara", "Daan", "Dilek", "Elena", "Emil", "Fatou", "Felix",
	"Freya", "Giulia", "Hana", "Hugo", "Imani", "Ines", "Ivo", "Jasmin", "Jonas", "Kaito", "Kavya", "Lars", "Leila", "Linus",
	"Lucia", "Maeve", "Malik", "Marta", "Mateo", "Mei", "Milan", "Nadia", "Niamh", "Noor", "Oskar", "Paula", "Pavel", "Priya",
	"Rafael", "Rosa", "Ruben", "Sanna", "Selma", "Sofia", "Stefan", "Tariq", "Tessa", "Tomas", "Uma", "Vera", "Viktor", "Wen",
	"Yara", "Yusuf", "Zoe",
}

var lastNames = []string{
	"Adeyemi", "Almeida", "Andersen", "Bakker", "Bauer", "Bianchi", "Brennan", "Carvalho", "Chen", "Costa", "Demir", "Dubois",
	"Eriksen", "Fischer", "Fontana", "Garcia", "Haddad", "Hansen", "Hoffmann", "Horvat", "Ivanova", "Jansen", "Kaya", "Keller",
	"Khan", "Kowalski", "Laurent", "Lehtinen", "Lindgren", "Lopez", "Marino", "Meyer", "Mensah", "Moreau", "Murphy", "Nakamura",
	"Nguyen", "Novak", "Nowak", "Nunes", "Olsen", "Patel", "Peeters", "Petrov", "Ramos", "Ricci", "Rossi", "Sato", "Schneider",
	"Silva", "Singh", "Sorensen", "Suzuki", "Tanaka", "Visser", "Weber", "Yilmaz", "Zhang", "Zimmermann",
}

var streets = []string{
	"Bookbinder Lane", "Canal Street", "Chestnut Avenue", "Church Row", "Ferry Road", "Harbour View", "Lantern Street",
	"Linden Walk", "Mill Hill", "Old Market", "Orchard Close", "Printers' Yard", "Quarry Road", "Station Parade", "Weavers' Court",
}

var towns = []string{
	"10119 Altbruck", "2611 Waterdam", "75011 Pontclair", "00184 Monteluce", "1050 Heidestad", "28012 Villanorte",
	"4051 Rheinfeld", "Dunmore D02", "Westbridge WB4 2EX", "111 29 Norrvik",
}

var books = []string{
	"A Field Guide to Lost Umbrellas", "Bread in Winter", "Eleven Lighthouses", "Letters to a Cartographer", "Maps of Small Rooms",
	"Nightingales of the Ring Road", "On Mending", "The Beekeeper's Accounts", "The Last Tram to Altbruck", "The Patient Gardener",
	"The Salt Ledger", "What the Ferryman Knew",
}

var lists = []string{"new-arrivals", "crime-and-mystery", "for-children", "second-hand"}

var paths = []string{"/", "/search", "/basket", "/account", "/orders", "/books/on-mending", "/books/the-salt-ledger"}

var agents = []string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
	"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
}
