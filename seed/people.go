package seed

import "lectern/db/school"

// Password is every demo account's. It is on the sign-in page, so an account
// that has it is marked as a demo account and keeps it.
const Password = "open sesame please"

type person struct {
	email string
	name  string
	role  school.Role
}

// people are the demo accounts. The first three are those whom a visitor may
// walk in as.
var people = []person{
	{"ada@lectern.example", "Ada Byron", school.Student},
	{"grace@lectern.example", "Grace Murray", school.Instructor},
	{"alan@lectern.example", "Alan Mathison", school.Admin},

	{"rob@lectern.example", "Rob Tremaine", school.Instructor},
	{"edgar@lectern.example", "Edgar Boyce", school.Instructor},
	{"florence@lectern.example", "Florence Okafor", school.Instructor},
	{"beatrice@lectern.example", "Beatrice Warde-Lind", school.Instructor},
	{"raymond@lectern.example", "Raymond Calvel-Ortiz", school.Instructor},
	{"noor@lectern.example", "Noor Haddad", school.Instructor},

	{"mateus@lectern.example", "Mateus Andrade", school.Student},
	{"ingrid@lectern.example", "Ingrid Solheim", school.Student},
	{"wanjiru@lectern.example", "Wanjirũ Kamau", school.Student},
	{"tomasz@lectern.example", "Tomasz Zieliński", school.Student},
	{"leila@lectern.example", "Leila Haddadi", school.Student},
	{"kenji@lectern.example", "Kenji Morimoto", school.Student},
	{"sofia@lectern.example", "Sofía Álvarez", school.Student},
	{"oluwaseun@lectern.example", "Oluwaseun Adeyemi", school.Student},
	{"freya@lectern.example", "Freya Lindqvist", school.Student},
	{"arjun@lectern.example", "Arjun Raghavan", school.Student},
	{"maeve@lectern.example", "Maeve O’Donnell", school.Student},
	{"yusuf@lectern.example", "يوسف العلي", school.Student},
	{"dimitra@lectern.example", "Dimitra Papadaki", school.Student},
	{"chloe@lectern.example", "Chloé Fournier", school.Student},
	{"ivan@lectern.example", "Ivan Horvat", school.Student},
	{"mei@lectern.example", "林 美玲", school.Student},
	{"peter@lectern.example", "Peter Nkemelu", school.Student},
	{"rosa@lectern.example", "Rosa Giménez", school.Student},
	{"elias@lectern.example", "Elias Brandt", school.Student},
	{"hana@lectern.example", "Hana Nováková", school.Student},
	{"samuel@lectern.example", "Samuel Thornbury", school.Student},
	{"aroha@lectern.example", "Aroha Ngata", school.Student},
	{"viktor@lectern.example", "Viktor Lysenko", school.Student},
	{"amina@lectern.example", "Amina Diallo", school.Student},
	{"noa@lectern.example", "נועה פרידמן", school.Student},
	{"george@lectern.example", "George Attwater", school.Student},
}
