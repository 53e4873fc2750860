"""The words that the invented register is made of: the first of each list often, the last seldom.

Written down from general knowledge of Indonesian names, before anything was measured with them.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = _words(
    "Siti Nur Sri Dewi Ni Dwi Ayu Putri Nurul Fitri Rina Yuni Eka Sumiati Aminah Halimah Aisyah "
    "Ratna Lestari Wahyuni Baiq Mariana Suryani Nurhayati Zaenab Rohani Maimunah Hasanah Indah "
    "Kusuma Yuliana Rahma Salma Nabila Khadijah Suharti Marlina Desi Novita Agustina Annisa "
    "Kartini Mutia Zahra Fatimah Rohmah Sakinah Tri Intan Wulan Citra Diah Endang Erna Evi Farida "
    "Gita Hamidah Hernawati Ida Ika Inaq Jamilah Juariah Kamariah Laila Lilik Linda Lina Maryam "
    "Masitah Megawati Munawarah Murni Nining Nuraini Nurjannah Rabiah Raehanun Rosdiana Rusni "
    "Sabariah Saodah Sarinah Solehah Sukarni Sulastri Sumarni Supriyati Suparmi Titik Tuti Ulfa "
    "Umi Wiwik Yanti Yulia Zulaikha Zuhriah Marsinah Paridah"
)
MEN = _words(
    "Muhammad Ahmad Abdul I Agus Nur Budi Eko Slamet Hadi Joko Lalu Rizki Dedi Hendra Yusuf "
    "Rahman Ibrahim Suparman Sutrisno Bambang Zulkarnain Sahabudin Arif Fajar Ilham Irfan Hasan "
    "Husein Samsul Nasrudin Junaidi Herman Rudi Andi Ismail Mahmud Taufik Amaq Dwi Tri Sukardi "
    "Khairul Fahmi Faisal Fikri Fauzi Gede Hamzah Hariadi Haris Hasyim Heri Idris Imam Iwan Jamal "
    "Jaelani Kamarudin Khalid Lukman Mansur Marwan Mustafa Mukhlis Munir Nanang Nurdin Pahrul "
    "Purnomo Rahmat Ramli Ridwan Rusdi Sahrul Saiful Salman Saparudin Satria Sofyan Sudirman "
    "Suharto Sugiono Suhaili Sulaiman Supardi Suryadi Syarifudin Tarmizi Umar Usman Wahyu Wawan "
    "Widodo Yahya Yanto Zaenudin Zainal Zakaria Zulfikar"
)
BIRTH_WORDS = _words("Wayan Made Nyoman Ketut Putu Kadek Komang Gede")  # behind I and Ni
SECOND_WOMEN = _words(
    "Aminah Rahayu Lestari Wulandari Susanti Handayani Anggraini Utami Permata Mulyani Safitri "
    "Yulianti Wardani Kusumawati Astuti Hidayati Fatimah Hasanah Aisyah Zahra Maulida Ramadhani "
    "Puspita Sari Dewi Oktaviani Rahmawati Apriliani Khotimah Mardiana Nurjanah Fitriani Hartati "
    "Setyowati Purnamasari Azizah Khairunnisa Salsabila Mufidah Nafisah Widiastuti Suryaningsih "
    "Jannah Kurniasih Marhamah Nuraeni Qomariah Rosyidah Syafitri Tiara Ulfah Wijayanti Zulfa"
)
SECOND_MEN = _words(
    "Hidayat Saputra Setiawan Kurniawan Hasan Maulana Pratama Wijaya Santoso Gunawan Hakim "
    "Syahputra Nugroho Hartono Hamid Ramadhan Firmansyah Darmawan Karim Fauzi Prasetyo Halim "
    "Anwar Jamil Effendi Iskandar Munandar Wahid Salim Akbar Aziz Ghofur Hafiz Ikhsan Jauhari "
    "Khoirudin Latif Majid Mujahid Nasution Harahap Siregar Permana Qadir Rasyid Rohman Sholeh "
    "Sembiring Simatupang Subagyo Supriadi Syukur Tohir Wirawan Yusron Zaini Alfarizi Marzuki"
)
VILLAGES = (
    *("Tirta Alur", "Banyu Biru Lor", "Sumber Melati", "Kedung Cemara", "Karang Teduh"),
    *("Tanjung Serunai", "Karang Asri", "Banyu Biru Kidul", "Lembah Sari", "Gunung Kelapa"),
    *("Padang Rindang", "Sungai Jernih", "Teluk Damai", "Batu Kembar", "Rawa Indah"),
    *("Bukit Pandan", "Muara Tenang", "Pasir Putih Timur", "Pasir Putih Barat", "Kebun Ayu"),
)

# What people write instead of a word, each as one of the same name.
ALIASES = {
    "MUHAMMAD": _words("M M. MUH MUH. MOH MOCH MUHAMAD MOHAMAD MOHAMMAD MOCHAMAD MHD"),
    "SITI": _words("ST ST. SITTI STI"),
    "ABDUL": _words("ABD ABD. ABDUR ABDOEL"),
    "AHMAD": _words("ACHMAD AKHMAD AHMD ACH."),
    "NUR": _words("NOER NOOR NR"),
    "NURUL": _words("NOERUL NURRUL"),
    "WAYAN": _words("WYN W"),
    "NYOMAN": _words("NYM NJOMAN"),
    "KETUT": _words("KT"),
    "KOMANG": _words("KMG"),
    "KADEK": _words("KDK"),
    "BAIQ": _words("BQ BAIK"),
}
# Of a spelling the old, the regional and the careless form: pattern, what is written instead.
SPELLINGS = (
    (r"U(?=[^N])", "OE"),
    (r"DJ|J", "DJ"),
    (r"C(?!H)", "TJ"),
    (r"(?<=[AEIOU])Y(?=[AEIOU])", "J"),
    (r"SY", "SJ"),
    (r"SY", "S"),
    (r"KH", "H"),
    (r"KH", "CH"),
    (r"F", "P"),
    (r"F", "V"),
    (r"Z", "J"),
    (r"Z", "S"),
    (r"(?<=[AEIOU])H(?=[AEIOU])", ""),
    (r"H$", ""),
    (r"(?<=[DTS])H", ""),
    (r"(?<=[A])$", "H"),
    (r"U", "O"),
    (r"O", "U"),
    (r"AE", "AI"),
    (r"AI", "AE"),
    (r"I$", "Y"),
    (r"I$", "IE"),
    (r"IA", "IYA"),
    (r"Q", "K"),
    (r"K$", "Q"),
    (r"RAH", "ROH"),
    (r"([LMNRST])\1", r"\1"),
    (r"(?<=[AIU])([LMNRST])(?=[AIU])", r"\1\1"),
)
TITLES = {
    ("L", "child"): ("An.", "An", "Sdr."),
    ("P", "child"): ("An.", "An", "Nn."),
    ("L", "adult"): ("Tn.", "Tn", "Bpk", "Sdr.", "H.", "H"),
    ("P", "adult"): ("Ny.", "Ny", "Ibu", "Nn", "Hj.", "Hj"),
}
DEGREES = (", S.Pd", ", SE", ", SH", " S.Kep", ", A.Md", ", S.Ag", " SKM")
# Neighbours on the keyboard.
ROWS = ("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")
