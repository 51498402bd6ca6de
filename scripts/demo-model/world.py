"""world.py -- the invented world: who lives where, what costs what, how far is it.

The facts are drawn once from WORLD_SEED and never change; texts about them are drawn from other
seeds. The generator of pseudo-random numbers is written out (splitmix64), so that the same seed
gives the same bytes with every version of Python.
"""

from lexicon import (ANIMALS, COLOURS, FOODS, GOODS, INSTRUMENTS, MONTH_DAYS, TRADES, WEEKDAYS)

WORLD_SEED = 20240229
PEOPLE = 96
TOWNS = 30
MASK = (1 << 64) - 1


class Rng:
    """splitmix64 (Steele, Lea, Flood 2014) and the few draws the texts need."""

    def __init__(self, seed):
        self.state = seed & MASK

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        """0 .. n-1; the bias of the modulo (below n / 2^64) does not matter here."""
        return self.bits() % n

    def between(self, low, high):
        """low .. high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent):
        return self.below(100) < percent

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items

    def sample(self, items, count):
        return self.shuffled(items)[:count]

    def weighted(self, pairs):
        """pairs of (weight, item)"""
        at = self.below(sum(weight for weight, _ in pairs))
        for weight, item in pairs:
            if at < weight:
                return item
            at -= weight
        raise AssertionError("weights do not add up")


class Person:
    """One inhabitant; words are indices into the tables of the lexicon."""

    def __init__(self, name, female):
        self.name = name
        self.first = name.split()[0]
        self.female = female


class Town:
    def __init__(self, name):
        self.name = name


FIRST_HE = ("Aldo Bero Casim Dorin Emil Fenno Gavin Harko Ilmar Jorin Karel Lubo Marek Nilo "
            "Osvin Pavo Quirin Radu Silvan Tovar Ulmo Vitus Wendel Yorick").split()
FIRST_SHE = ("Anka Belina Ciska Dalia Edda Fiora Gesa Hedda Ivana Jelka Katla Lioba Mirja Nadia "
             "Olka Petra Quilla Runa Selma Tilda Ursa Velika Wanda Ysolde").split()
SURNAME_START = "Bal Dor Fen Gar Hol Kes Lun Mar Nor Pel Rosk Sten Tal Ven Wim Zor".split()
SURNAME_END = "adin berg ek ovar mund quist rell tova vik zen".split()
TOWN_START = "Ald Brem Cor Dun Esk Falk Grun Hav Isk Jor Kel Lom Mor Nev Orl Pust".split()
TOWN_END = "aby ford grad heim ino mark o stad und wick".split()
REGIONS = "Ambria Bergland Costa Dunmark Estoria Felsenau".split()
RIVERS = "Alma Breve Dorne Ister Lira Mosk Sava Tind".split()
PET_NAMES = ("Bibo Dusty Flick Gilda Hopla Igor Jumbo Kiki Lotte Momo Nero Otto Pim Rufus Socks "
             "Tapsi Uno Vulcan Wanja Zappa").split()


def combine(rng, starts, ends, count):
    """count different words made of a start and an end."""
    return rng.sample([start + end for start in starts for end in ends], count)


def make_towns(rng):
    towns = []
    spots = rng.sample([(x, y) for x in range(12) for y in range(12)], TOWNS)
    for name, (x, y) in zip(combine(rng, TOWN_START, TOWN_END, TOWNS), spots):
        town = Town(name)
        town.x, town.y = 7 * x, 7 * y
        town.region = rng.pick(REGIONS)
        town.river = rng.pick(RIVERS)
        town.founded = rng.between(1100, 1799)
        town.inhabitants = 10 * rng.between(40, 980)
        town.market_day = rng.below(len(WEEKDAYS))
        town.good = rng.below(len(GOODS))
        towns.append(town)
    for town in towns:
        others = [other for other in towns if other is not town]
        others.sort(key=lambda other: (distance(town, other), other.name))
        town.near = others[:3]
    return towns


def distance(a, b):
    """Kilometres by road: along the axes."""
    return abs(a.x - b.x) + abs(a.y - b.y)


def direction(a, b):
    """Where a lies seen from b, as an index into DIRECTIONS: the larger difference decides."""
    dx, dy = a.x - b.x, a.y - b.y
    if abs(dy) >= abs(dx):
        return 0 if dy > 0 else 2
    return 1 if dx > 0 else 3


def make_people(rng, towns):
    firsts = [(name, False) for name in FIRST_HE] + [(name, True) for name in FIRST_SHE]
    surnames = combine(rng, SURNAME_START, SURNAME_END, PEOPLE // 3)
    people = []
    for i in range(PEOPLE):
        first, female = firsts[i % len(firsts)]
        # Every first name twice, every surname three times, no pair twice.
        surname = surnames[(i + 17 * (i // len(firsts))) % len(surnames)]
        person = Person(first + " " + surname, female)
        person.town = rng.pick(towns)
        person.trade = rng.below(len(TRADES))
        person.animal = rng.below(len(ANIMALS))
        person.pet = rng.pick(PET_NAMES)
        person.colour = rng.below(len(COLOURS))
        person.food = rng.below(len(FOODS))
        person.instrument = rng.below(len(INSTRUMENTS))
        person.year = rng.between(1925, 1994)
        person.month = rng.below(12)
        person.day = rng.between(1, MONTH_DAYS[person.month])
        people.append(person)
    order = rng.shuffled(people)
    for i, person in enumerate(order):
        person.friend = order[(i + 1) % len(order)]
    for town in towns:
        town.mayor = rng.pick(people)
    return people


class World:
    def __init__(self, seed=WORLD_SEED):
        rng = Rng(seed)
        self.towns = make_towns(rng)
        self.people = make_people(rng, self.towns)
        self.prices = [rng.between(2, 39) for _ in GOODS]
