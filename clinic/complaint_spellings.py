"""One word for each that clerks misspell, shorten or say in their region's way.

Data only. Both sides stand as `complaint_text.fold` leaves them: "tiba-tiba" is "tiba".
"""

SPELLINGS = {
    variant: word
    for word, variants in {
        "tidak": "tdk tak gak ngak engak ga gk ndak nda nga enga kagak ora",
        "sakit": "skt sakid",
        "batuk": "btk btuk batok watuk",
        "demam": "dmm demem",
        "pilek": "plk",
        "mencret": "mncret menceret",
        "muntah": "mntah munta mutah",
        "sesak": "sesek ssk",
        "gatal": "gatel gtl",
        "pusing": "psing puyeng",
        "pegal": "pegel pgal",
        "campak": "sarampa serampa",
        "kepala": "kpala kpl kapala",
        "perut": "prt",
        "hamil": "hml",
        "imunisasi": "imun imn",
        "napas": "nafas",
        "bengkak": "bengkek bngkak",
        "bernapas": "bernafas brnapas brnafas",
        "kecelakan": "kll kcelakan kclkan",
        "bisa": "bs bsa",
        "belum": "blm blum",
        "bukan": "bkn",
        "tanpa": "tnp",
        "sampai": "sampe",
        "dari": "dr dri",
        "bulan": "bln",
        "keluar": "kluar klr mengeluarkan ngeluarkan ngeluarin",
        "darah": "drh drah getih",
        "banget": "bgt bngt",
        "malas": "males",
        "seperti": "spt sprti kayak kyk kaya",
        "kejang": "kjang kejng kjg",
        "pingsan": "pinsan pngsan pingsang pinsang",
        "berhenti": "brhenti brenti berenti mandek",
        "berdarah": "brdarah",
        "pendarahan": "pendarahn pndarahan",
        "keracunan": "kracunan",
        "kesetrum": "ksetrum kestrum kesetrom",
        "setrum": "strum",
        "digigit": "dgigit gigitan",
        "nyeri": "nyri",
        "jatuh": "jth terjatuh",
        "kena": "terkena kenna",
        "motor": "mtr",
        "sudah": "sdh udh udah",
        "sepeda": "spd",
        "lemas": "lemes",
        "separuh": "separo setengah stengah",
        "menetek": "netek nenen",
        "menyusu": "nyusu",
        "mimik": "mimi",
        "mengisap": "ngisap isap hisap ngesap menghisap",
        "haid": "mens menstruasi haidh",
        "makin": "semakin smakin",
        "mendadak": "tiba mndadak mendadk",  # "tiba-tiba" is one word here
        "tangan": "tgn tngn",
        "kaki": "kk kki",
        "badan": "bdn",
        "banyak": "bnyk byk bnyak",
        "sekali": "skali",
        "dahak": "berdahak riak beriak",
        "campur": "bercampur tercampur",
        "flek": "ngeflek",
        "mencong": "menceng menyong",
        "perot": "merot",
        "digerakan": "digerakin",
        "dibangunkan": "dibangunin",
        "ular": "ulo",
        "anjing": "asu",
        "ketelan": "ketelen",
        "kelelep": "klelep",
        "tersambar": "kesamber kesambar",
        "petir": "gledek geledek",
        "tertimpa": "ketimpa ketiban",
        "kelindas": "kelindes",
        "kebiruan": "membiru",
        "menangis": "nangis",
        "detergen": "deterjen",
        "jantung": "jntung",
        "syok": "shock",
        "kanan": "tengen knan",
        "kiri": "kiwo kiwa",
        "lumpuh": "lumpu lmpuh",
        "dada": "dadane",
        "ampek": "ampeg ampeuk",
        "telat": "tlt tlat",
        "datang": "dtg dtng dateng",
        "sesar": "sc caesar cesar secar",
        "suntik": "sntik suntek",
        "geraham": "graham",
        "kolesterol": "kolestrol kolestreol kolesterl kolestorol cholesterol",
        "periksa": "priksa preksa prksa",
        "kencing": "pipis nguyuh kncing",
    }.items()
    for variant in variants.split()
}

# Verbs whose prefix is often typed apart: "di gigit anjing". None is a place or a time of day.
PARTED = {
    (prefix, verb)
    for prefix, verbs in {
        "di": "tabrak gigit cokot tusuk bacok tembak tikam sengat serempet lindas patok patuk "
        "catok tanduk seruduk keroyok perkosa sambar",
        "ter": "tabrak gigit tusuk tembak sengat serempet lindas siram sedak setrum sambar timpa "
        "timbun bakar minum telan jatuh kilir bentur bacok",
        "ke": "tabrak gigit tusuk bacok siram setrum timpa telan lindas serempet bentur jedot "
        "sedak",
    }.items()
    for verb in verbs.split()
}
