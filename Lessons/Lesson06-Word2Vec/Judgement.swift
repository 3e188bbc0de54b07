// What the vectors are judged by, chosen before any were trained.

/// Words that belong together.
let wordPairs: [(String, String)] = couples(
  """
  father mother, son daughter, sons daughters, brother sister, husband wife, bread wine, gold silver, brass iron, day night, east west,
  north south, heaven earth, sun moon, sheep oxen, horses chariots, sword spear, oil flour, moses aaron, abraham isaac, peter john,
  israel judah, egypt pharaoh, jesus christ, priests levites, king queen, eyes ears, seven eight, three four, hundred thousand,
  righteous wicked, love hate, life death, good evil, wisdom understanding, milk honey, blood flesh, bullock ram, mountain hill,
  sea river, door gate, linen purple, blue scarlet, cubits breadth, wind rain, fire smoke, corn wine, fig vine, mouth lips, heart soul,
  sin iniquity, mercy truth, young old, eat drink, born begat, sing praise, year month, camels asses, lion bear, fowls beasts,
  scribes pharisees, weeping mourning, joy gladness, feet hands
  """)

/// Groups of words for the map.
let wordGroups: [(name: String, words: [String])] = [
  ("numbers", Words.split("two three four five six seven eight nine ten twenty thirty forty fifty hundred thousand")),
  ("kin", Words.split("father mother son daughter brother sister wife husband sons daughters child")),
  ("beasts", Words.split("ox sheep lamb goats ram bullock horses camels cattle oxen asses lambs rams")),
  (
    "places",
    Words.split("egypt jerusalem babylon galilee moab edom samaria syria assyria canaan gilead jordan damascus hebron")
  ),
  ("the body", Words.split("hand eyes mouth feet head heart ears lips tongue arm face foot eye")),
  ("materials", Words.split("gold silver brass iron stone wood linen purple scarlet blue")),
]

private func couples(_ text: String) -> [(String, String)] {
  text.split(separator: ",").map(String.init).map(Words.split).map { ($0[0], $0[1]) }
}
