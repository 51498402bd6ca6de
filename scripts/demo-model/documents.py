"""documents.py -- the kinds of text the generator writes about the world.

Each kind is a function (world, rng) -> text and one row in KINDS with its weight. A text has no
blank line in it and no newline at its end.
"""

import json

from lexicon import (ANIMALS, COLOURS, CONTAINERS, DIRECTIONS, FOODS, GOODS, INSTRUMENTS,
                     LANGUAGES, LANGUAGE_NAMES, MONTHS, MONTH_DAYS, MORSE, NUMBERS, ROOMS, THINGS,
                     TRADES, WEEKDAYS)
from world import direction, distance

# What can be said of a person, four languages, two wordings each. {n} is the name or a pronoun,
# {v} the fact, {e} the ending of a French participle, {d} the French "de" before the name.
PERSON = {
    "town": {
        "en": ("{n} lives in {v}.", "{n} has a house in {v}."),
        "de": ("{n} wohnt in {v}.", "{n} hat ein Haus in {v}."),
        "fr": ("{n} habite à {v}.", "{n} a une maison à {v}."),
        "es": ("{n} vive en {v}.", "{n} tiene una casa en {v}."),
    },
    "trade": {
        "en": ("{n} is a {v}.", "{n} works as a {v}."),
        "de": ("{n} ist {v}.", "{n} arbeitet als {v}."),
        "fr": ("{n} est {v}.", "{n} travaille comme {v}."),
        "es": ("{n} es {v}.", "{n} trabaja como {v}."),
    },
    "pet": {
        "en": ("{n} has {v}.", "{n} owns {v}."),
        "de": ("{n} hat {v}.", "{n} besitzt {v}."),
        "fr": ("{n} a {v}.", "{n} possède {v}."),
        "es": ("{n} tiene {v}.", "{n} cuida {v}."),
    },
    "birth": {
        "en": ("{n} was born on {v}.", "{n}'s birthday is {v}."),
        "de": ("{n} wurde am {v} geboren.", "{n} kam am {v} zur Welt."),
        "fr": ("{n} est né{e} le {v}.", "{n} a vu le jour le {v}."),
        "es": ("{n} nació el {v}.", "{n} vino al mundo el {v}."),
    },
    "colour": {
        "en": ("{n}'s favourite colour is {v}.", "{n} likes {v} best of all colours."),
        "de": ("Die Lieblingsfarbe von {n} ist {v}.", "{n} mag die Farbe {v}."),
        "fr": ("La couleur préférée {d}{n} est {v}.", "{n} préfère {v}."),
        "es": ("El color favorito de {n} es {v}.", "{n} prefiere {v}."),
    },
    "food": {
        "en": ("{n} likes to eat {v}.", "{n} can't say no to {v}."),
        "de": ("{n} isst gern {v}.", "{n} isst jeden Tag {v}."),
        "fr": ("{n} aime {v}.", "{n} adore {v}."),
        "es": ("{n} come con gusto {v}.", "{n} pide siempre {v}."),
    },
    "instrument": {
        "en": ("{n} plays {v}.", "In the evening {n} plays {v}."),
        "de": ("{n} spielt {v}.", "Am Abend spielt {n} {v}."),
        "fr": ("{n} joue {v}.", "Le soir, {n} joue {v}."),
        "es": ("{n} toca {v}.", "Por la noche {n} toca {v}."),
    },
    "friend": {
        "en": ("{n}'s best friend is {v}.", "{n} often visits {v}."),
        "de": ("{n} ist mit {v} befreundet.", "{n} besucht oft {v}."),
        "fr": ("{n} rend souvent visite à {v}.", "{n} écrit souvent à {v}."),
        "es": ("{n} visita mucho a {v}.", "{n} escribe mucho a {v}."),
    },
}
ASPECTS = tuple(PERSON)
PRONOUN = {"en": ("He", "She"), "de": ("Er", "Sie"), "fr": ("Il", "Elle"), "es": ("Él", "Ella")}
NAMED = {"en": " called ", "de": " namens ", "fr": " qui s'appelle ", "es": " que se llama "}


def column(language):
    return LANGUAGES.index(language)


def trade(person, language):
    row = TRADES[person.trade]
    return row[0] if language == "en" else row[2 * column(language) - 1 + person.female]


def day_of(day, month, language):
    name = MONTHS[month][column(language)]
    if language == "de":
        return f"{day}. {name}"
    if language == "fr":
        return f"{'1er' if day == 1 else day} {name}"
    return f"{day} de {name}" if language == "es" else f"{day} {name}"


def date(day, month, year, language):
    return day_of(day, month, language) + (" de " if language == "es" else " ") + str(year)


def fact(person, aspect, language):
    """The value of one aspect in words."""
    at = column(language)
    if aspect == "town":
        return person.town.name
    if aspect == "trade":
        return trade(person, language)
    if aspect == "pet":
        return ANIMALS[person.animal][at] + NAMED[language] + person.pet
    if aspect == "birth":
        return date(person.day, person.month, person.year, language)
    if aspect == "friend":
        return person.friend.name
    table = {"colour": COLOURS, "food": FOODS, "instrument": INSTRUMENTS}[aspect]
    return table[getattr(person, aspect)][at]


def say(person, aspect, language, wording, name=None):
    """One sentence. A pronoun only fits where {n} opens the sentence as its subject."""
    text = PERSON[aspect][language][wording]
    if name is None or not text.startswith("{n} "):
        name = person.name
    return text.format(n=name, v=fact(person, aspect, language), e="e" if person.female else "",
                       d="d'" if name[0] in "AEIOU" else "de ")


def portrait(world, rng):
    """Some facts about one person in one language."""
    person, language = rng.pick(world.people), rng.pick(LANGUAGES)
    sentences = []
    for i, aspect in enumerate(rng.sample(ASPECTS, rng.between(3, 6))):
        pronoun = PRONOUN[language][person.female] if i else None
        sentences.append(say(person, aspect, language, rng.below(2), pronoun))
    return " ".join(sentences)


def translation(world, rng):
    """The same facts in two to four languages, line by line."""
    person = rng.pick(world.people)
    aspects = rng.sample(ASPECTS, rng.between(1, 2))
    lines = []
    for language in rng.sample(LANGUAGES, rng.between(2, 4)):
        text = " ".join(say(person, aspect, language, rng.below(2)) for aspect in aspects)
        lines.append(f"{LANGUAGE_NAMES[language]}: {text}")
    return "\n".join(lines)


QUESTIONS = {
    "town": ("Where does {n} live?", "In {v}."),
    "trade": ("What is {n}'s trade?", "{p} is a {v}."),
    "pet": ("Does {n} have a pet?", "Yes, {v}."),
    "birth": ("When was {n} born?", "On {v}."),
    "colour": ("Which colour does {n} like best?", "It's {v}."),
    "food": ("What does {n} like to eat?", "{p} likes {v}."),
    "instrument": ("What does {n} play?", "{p} plays {v}."),
    "friend": ("Who is {n}'s best friend?", "It's {v}."),
}


def questions(world, rng):
    """Questions and answers, some in two steps."""
    lines = []
    for _ in range(rng.between(2, 4)):
        person = rng.pick(world.people)
        if rng.chance(20):
            lines.append(f"Q: Who is the mayor of the town where {person.name} lives?\n"
                         f"A: {person.name} lives in {person.town.name}, "
                         f"and its mayor is {person.town.mayor.name}.")
            continue
        aspect = rng.pick(ASPECTS)
        question, answer = QUESTIONS[aspect]
        lines.append("Q: " + question.format(n=person.name) + "\nA: "
                     + answer.format(v=fact(person, aspect, "en"),
                                     p=PRONOUN["en"][person.female]))
    return "\n".join(lines)


def talk(world, rng):
    """Two people ask each other; the rest of the contractions."""
    a, b = rng.sample(world.people, 2)
    lines = [f"“Hello, {b.name}! I'm {a.name}. Where do you come from?” — "
             f"“I've come from {b.town.name}.”"]
    if rng.chance(60):
        lines.append(f"“What's your trade?” — “I'm a {trade(b, 'en')}. And you?” — "
                     f"“They say I'm a good {trade(a, 'en')}.”")
    if rng.chance(60):
        lines.append(f"“We'll have {FOODS[b.food][0]}, won't we?” — “You're right, I can't say "
                     f"no to that. But you'd rather have {FOODS[a.food][0]}, {a.first}!”")
    day = rng.below(7)
    lines.append(f"“Don't forget: it's {WEEKDAYS[day][0]} today, so tomorrow is "
                 f"{WEEKDAYS[(day + 1) % 7][0]}.”")
    return "\n".join(lines)


def town_portrait(world, rng):
    """What there is to know about a town, in one language."""
    town, language = rng.pick(world.towns), rng.pick(LANGUAGES)
    at = column(language)
    near = rng.pick(town.near)
    km, where = distance(town, near), DIRECTIONS[direction(town, near)][at]
    day, good = WEEKDAYS[town.market_day][at], GOODS[town.good][at]
    n, mayor = town.name, town.mayor.name
    sentences = {
        "en": (f"{n} lies on the river {town.river} in {town.region}.",
               f"{n} was founded in {town.founded}.",
               f"{n} has {town.inhabitants} inhabitants.", f"The mayor of {n} is {mayor}.",
               f"In {n} the market is on {day}.", f"{n} is known for its {good}.",
               f"{n} lies {km} km {where} of {near.name}."),
        "de": (f"{n} liegt am Fluss {town.river} in {town.region}.",
               f"{n} wurde {town.founded} gegründet.",
               f"{n} hat {town.inhabitants} Einwohner.", f"{mayor} regiert {n}.",
               f"In {n} ist am {day} Markt.", f"{n} ist für seine {good} bekannt.",
               f"{n} liegt {km} km {where} von {near.name}."),
        "fr": (f"{n} se trouve au bord de la rivière {town.river} en {town.region}.",
               f"{n} a été fondé en {town.founded}.",
               f"{n} compte {town.inhabitants} habitants.", f"Le maire de {n} s'appelle {mayor}.",
               f"À {n}, le marché a lieu le {day}.", f"{n} est connu pour ses {good}.",
               f"{n} se trouve à {km} km {where} de {near.name}."),
        "es": (f"{n} está a orillas del río {town.river} en {town.region}.",
               f"{n} se fundó en {town.founded}.",
               f"{n} tiene {town.inhabitants} habitantes.", f"{mayor} gobierna en {n}.",
               f"En {n} el mercado es el {day}.", f"{n} es famoso por sus {good}.",
               f"{n} está a {km} km {where} de {near.name}."),
    }[language]
    return " ".join(rng.sample(sentences, rng.between(3, 5)))


def route(world, rng):
    """A walk over neighbouring towns with the sum of the ways."""
    town = rng.pick(world.towns)
    total, lines = 0, []
    for _ in range(rng.between(2, 4)):
        following = rng.pick(town.near)
        km = distance(town, following)
        lines.append(f"{town.name} - {following.name}: {km} km"
                     + (f", {total} + {km} = {total + km}" if total else ""))
        total += km
        town = following
    lines.append(f"Total: {total} km")
    return "\n".join(lines)


def purchase(world, rng):
    """Somebody buys things: price times count, and the sum."""
    person, language = rng.pick(world.people), rng.pick(LANGUAGES)
    at = column(language)
    first, second = rng.sample(range(len(GOODS)), 2)
    lines, sums = [], []
    for good in (first, second)[:rng.between(1, 2)]:
        count, price = rng.between(2, 9), world.prices[good]
        sums.append(count * price)
        name = GOODS[good][at]
        opening = {
            "en": f"{person.name} buys {count} {name} at {price} florins each:",
            "de": f"{person.name} kauft {count} {name} zu je {price} Gulden:",
            "fr": f"{person.name} achète {count} {name} à {price} florins :",
            "es": f"{person.name} compra {count} {name} a {price} florines:",
        }[language]
        lines.append(f"{opening} {count} × {price} = {sums[-1]}.")
    if len(sums) == 2:
        word = {"en": "Together", "de": "Zusammen", "fr": "En tout ", "es": "En total"}[language]
        lines.append(f"{word}: {sums[0]} + {sums[1]} = {sum(sums)}.")
    return " ".join(lines)


def price_list(world, rng):
    """A list of prices; they are the same everywhere."""
    language = rng.pick(LANGUAGES)
    title = {"en": "Prices in florins", "de": "Preise in Gulden", "fr": "Prix en florins",
             "es": "Precios en florines"}[language]
    goods = rng.sample(range(len(GOODS)), rng.between(3, 6))
    if rng.chance(50):
        goods.sort(key=lambda good: (world.prices[good], good))
        title += {"en": ", ascending", "de": ", aufsteigend", "fr": ", croissant",
                  "es": ", en orden"}[language]
    return "\n".join([title + ":"] + [f"- {GOODS[good][column(language)]}: {world.prices[good]}"
                                      for good in goods])


def sums(world, rng):
    """Sums and differences below 200, tables of multiplication."""
    lines = []
    for _ in range(rng.between(3, 6)):
        a, b = rng.between(2, 99), rng.between(2, 99)
        c, d = rng.between(2, 12), rng.between(2, 12)
        lines.append(rng.weighted(((4, f"{a} + {b} = {a + b}"),
                                   (3, f"{a + b} - {b} = {a}"),
                                   (3, f"{c} × {d} = {c * d}"),
                                   (1, f"{c * d} : {d} = {c}"))))
    return "\n".join(lines)


def carry(world, rng):
    """Addition of two long numbers, digit by digit with the carry."""
    digits = rng.between(3, 5)
    a, b = (rng.between(10 ** (digits - 1), 10 ** digits - 1) for _ in range(2))
    lines = [f"Add {' '.join(str(a))} and {' '.join(str(b))}"]
    carried = 0
    for x, y in zip(reversed(str(a)), reversed(str(b))):
        total = int(x) + int(y) + carried
        lines.append(f"{x} + {y} + {carried} = {total}, write {total % 10}, carry {total // 10}")
        carried = total // 10
    lines.append(f"Result: {' '.join(str(a + b))}")
    return "\n".join(lines)


def number_words(world, rng):
    """Small sums in words."""
    language = rng.pick(LANGUAGES)
    at = column(language)
    plus, equals = {"en": ("plus", "is"), "de": ("plus", "ist"), "fr": ("plus", "font"),
                    "es": ("más", "son")}[language]
    parts = []
    for _ in range(rng.between(2, 4)):
        a, b = rng.between(0, 10), rng.between(0, 10)
        text = f"{NUMBERS[a][at]} {plus} {NUMBERS[b][at]} {equals} {NUMBERS[a + b][at]}"
        parts.append(text[0].upper() + text[1:] + ".")
    return " ".join(parts)


def words(world):
    """Short lower-case words of plain letters, for the codes."""
    pool = [row[0] for row in GOODS + FOODS + COLOURS + TRADES] + [town.name.lower()
                                                                   for town in world.towns]
    return [word for word in pool if word.isascii() and word.isalpha() and len(word) <= 8]


def code(world, rng):
    """A word in Caesar's cipher, Morse, hexadecimal, or backwards."""
    pool, lines = words(world), []
    kind = rng.pick(("caesar", "morse", "hex", "backwards", "length"))
    shift = rng.between(1, 5)
    for word in rng.sample(pool, rng.between(1, 3)):
        spaced = " ".join(word)
        if kind == "caesar":
            moved = " ".join(chr((ord(c) - 97 + shift) % 26 + 97) for c in word)
            lines.append(f"caesar {shift}: {spaced} -> {moved}")
        elif kind == "morse":
            lines.append(f"morse: {spaced} -> {' / '.join(MORSE[c] for c in word)}")
        elif kind == "hex":
            lines.append(f"hex: {spaced} -> {' '.join('%02x' % ord(c) for c in word)}")
        elif kind == "backwards":
            lines.append(f"backwards: {spaced} -> {' '.join(reversed(word))}")
        else:
            lines.append(f"len(\"{word}\") == {len(word)}")
    return "\n".join(lines)


def program(world, rng):
    """A few lines of a program and what it prints."""
    a, b = rng.between(1, 9), rng.between(1, 9)
    x, y, f = rng.pick("abcnxyz"), rng.pick("ijkmpqt"), rng.pick(("add", "grow", "step", "twice"))
    kind = rng.below(5)
    if kind == 0:
        return f"{x} = {a}\n{y} = {x} + {b}\nprint({y})\n# {a + b}"
    if kind == 1:
        return f"def {f}({x}):\n    return {x} * {a}\nprint({f}({b}))\n# {a * b}"
    if kind == 2:
        n = rng.between(3, 6)
        return (f"for {y} in range({n}):\n    print({y} + {a})\n# "
                + " ".join(str(i + a) for i in range(n)))
    if kind == 3:
        items = [rng.between(1, 99) for _ in range(rng.between(3, 5))]
        name = rng.pick(("max", "min", "sorted", "len"))
        result = {"max": max, "min": min, "sorted": sorted, "len": len}[name](items)
        return f"{x} = {items}\nprint({name}({x}))\n# {result}"
    return (f"if ({a} < {b}) {{\n\tputs(\"yes\");\n}} else {{\n\tputs(\"no\");\n}}\n"
            f"// {'yes' if a < b else 'no'}")


def record(world, rng):
    """Facts as JSON, CSV, a table of Markdown or SQL."""
    kind = rng.below(4)
    people = rng.sample(world.people, rng.between(2, 4))
    if kind == 0:
        person = people[0]
        keys = rng.sample(("town", "trade", "colour", "food", "instrument"), 3)
        data = {"name": person.name, "born": person.year}
        data.update((key, fact(person, key, "en")) for key in keys)
        return json.dumps(data, ensure_ascii=False, indent=2 if rng.chance(50) else None)
    if kind == 1:
        return "\n".join(["name,trade,town,born"] + [
            f"{p.name},{trade(p, 'en')},{p.town.name},{p.year}" for p in people])
    if kind == 2:
        return "\n".join(["| Town | Region | River | Market |", "| --- | --- | --- | --- |"] + [
            f"| {t.name} | {t.region} | {t.river} | {WEEKDAYS[t.market_day][0]} |"
            for t in rng.sample(world.towns, rng.between(2, 4))])
    p = people[0]
    return f"SELECT town FROM people WHERE name = '{p.name}';\n-- {p.town.name}"


def ordering(world, rng):
    """Lists put in order: numbers, towns by the alphabet, people by age."""
    kind = rng.below(4)
    if kind == 0:
        numbers = [rng.between(1, 99) for _ in range(rng.between(4, 6))]
        down = rng.chance(30)
        return (f"Numbers: {', '.join(map(str, numbers))}\n"
                + ("Descending: " if down else "Ascending: ")
                + ", ".join(map(str, sorted(numbers, reverse=down))))
    if kind == 1:
        names = [town.name for town in rng.sample(world.towns, rng.between(3, 5))]
        return f"Towns: {', '.join(names)}\nAlphabetical: {', '.join(sorted(names))}"
    people = rng.sample(world.people, rng.between(2, 3))
    lines = [f"{p.name} was born in {p.year}." for p in people]
    people.sort(key=lambda p: (p.year, p.name))
    if kind == 2:
        lines.append("From old to young: " + ", ".join(p.name for p in people) + ".")
    else:
        older, younger = people[0], people[-1]
        lines.append(f"{older.name} is {younger.year - older.year} years older "
                     f"than {younger.name}.")
    return " ".join(lines)


def calendar(world, rng):
    """Following days, written out; February has 28 days in this world."""
    language = rng.pick(LANGUAGES)
    at = column(language)
    weekday, month = rng.below(7), rng.below(12)
    day = rng.between(1, MONTH_DAYS[month])
    if rng.chance(30):
        day = MONTH_DAYS[month] - rng.below(3)
    lines = []
    for _ in range(rng.between(3, 6)):
        lines.append(f"{WEEKDAYS[weekday][at]} {day_of(day, month, language)}")
        weekday, day = (weekday + 1) % 7, day + 1
        if day > MONTH_DAYS[month]:
            day, month = 1, (month + 1) % 12
    return (", ".join(lines) + ".") if rng.chance(50) else "\n".join(lines)


def hiding(world, rng):
    """A story one can only end who remembers its beginning."""
    a, b = rng.sample(world.people, 2)
    here, there = rng.sample(CONTAINERS, 2)
    room, thing = rng.pick(ROOMS), rng.pick(THINGS)
    if rng.chance(35):
        return (f"{a.name} legt {thing[1]} in {here[1]}. {b.name} geht in {room[1]}. "
                f"Dann holt {a.first} {thing[1]} und legt {thing[1]} in {there[1]}. "
                f"{b.first} sucht in {here[2]}, aber da ist nichts: {a.first} weiß, man findet "
                f"{thing[1]} in {there[2]}.")
    lines = [f"{a.name} the {trade(a, 'en')} puts {thing[0]} into {here[0]}.",
             f"{b.name} the {trade(b, 'en')} goes to {room[0]}."]
    last = here[0]
    if rng.chance(50):
        last = there[0]
        lines.append(f"Later {b.first} takes {thing[0]} from {here[0]} and puts it into {last}.")
    lines.append(f"Where is {thing[0]}? It is in {last}.")
    return " ".join(lines)


KINDS = (
    (26, portrait), (8, translation), (12, questions), (4, talk), (10, town_portrait), (5, route),
    (7, purchase), (4, price_list), (8, sums), (5, carry), (3, number_words), (6, code),
    (5, program), (7, record), (6, ordering), (4, calendar), (5, hiding),
)
