// What the vectors are judged by, chosen before any were trained.

/// Words that belong together.
let wordPairs: [(String, String)] = [
  ("father", "mother"), ("son", "daughter"), ("sons", "daughters"), ("brother", "sister"), ("husband", "wife"),
  ("bread", "wine"), ("gold", "silver"), ("brass", "iron"), ("day", "night"), ("heaven", "earth"), ("sun", "moon"),
  ("sheep", "oxen"), ("horses", "chariots"), ("sword", "spear"), ("oil", "flour"), ("moses", "aaron"),
  ("abraham", "isaac"), ("israel", "judah"), ("egypt", "pharaoh"), ("peter", "john"), ("jesus", "christ"),
  ("priests", "levites"), ("king", "queen"), ("eyes", "ears"), ("seven", "eight"), ("three", "four"),
  ("hundred", "thousand"), ("east", "west"), ("north", "south"), ("righteous", "wicked"), ("love", "hate"),
  ("life", "death"), ("good", "evil"), ("wisdom", "understanding"), ("milk", "honey"), ("blood", "flesh"),
  ("bullock", "ram"), ("mountain", "hill"), ("sea", "river"), ("door", "gate"), ("linen", "purple"),
  ("blue", "scarlet"), ("cubits", "breadth"), ("wind", "rain"), ("fire", "smoke"), ("corn", "wine"), ("fig", "vine"),
  ("mouth", "lips"), ("heart", "soul"), ("sin", "iniquity"), ("mercy", "truth"), ("young", "old"), ("eat", "drink"),
  ("born", "begat"), ("sing", "praise"), ("year", "month"), ("camels", "asses"), ("lion", "bear"),
  ("fowls", "beasts"), ("scribes", "pharisees"), ("weeping", "mourning"), ("joy", "gladness"), ("feet", "hands"),
]

/// Groups of words for the map.
let wordGroups: [(name: String, words: [String])] = [
  (
    "numbers",
    [
      "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty", "thirty", "forty", "fifty",
      "hundred", "thousand",
    ]
  ),
  (
    "kin",
    [
      "father", "mother", "son", "daughter", "brother", "sister", "wife", "husband", "sons", "daughters", "child",
    ]
  ),
  (
    "beasts",
    [
      "ox", "sheep", "lamb", "goats", "ram", "bullock", "horses", "camels", "cattle", "oxen", "asses", "lambs",
      "rams",
    ]
  ),
  (
    "places",
    [
      "egypt", "jerusalem", "babylon", "galilee", "moab", "edom", "samaria", "syria", "assyria", "canaan", "gilead",
      "jordan", "damascus", "hebron",
    ]
  ),
  (
    "the body",
    [
      "hand", "eyes", "mouth", "feet", "head", "heart", "ears", "lips", "tongue", "arm", "face", "foot", "eye",
    ]
  ),
  (
    "materials",
    [
      "gold", "silver", "brass", "iron", "stone", "wood", "linen", "purple", "scarlet", "blue",
    ]
  ),
]
