"""lexicon.py -- the words of the invented world, in English, German, French and Spanish.

Every row holds the same thing in each language, in the one form the sentences of documents.py
need, so that no sentence has to be inflected. Plain data, no code but the splitting into rows.
"""

LANGUAGES = ("en", "de", "fr", "es")
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}


def rows(text):
    """One tuple per line, fields between bars."""
    return [tuple(field.strip() for field in line.split("|"))
            for line in text.strip().splitlines()]


# English | German he, she | French he, she | Spanish he, she
TRADES = rows("""
baker | Bäcker | Bäckerin | boulanger | boulangère | panadero | panadera
teacher | Lehrer | Lehrerin | instituteur | institutrice | maestro | maestra
gardener | Gärtner | Gärtnerin | jardinier | jardinière | jardinero | jardinera
miller | Müller | Müllerin | meunier | meunière | molinero | molinera
nurse | Krankenpfleger | Krankenpflegerin | infirmier | infirmière | enfermero | enfermera
farmer | Bauer | Bäuerin | fermier | fermière | granjero | granjera
cook | Koch | Köchin | cuisinier | cuisinière | cocinero | cocinera
fisher | Fischer | Fischerin | pêcheur | pêcheuse | pescador | pescadora
weaver | Weber | Weberin | tisserand | tisserande | tejedor | tejedora
potter | Töpfer | Töpferin | potier | potière | alfarero | alfarera
painter | Maler | Malerin | peintre | peintre | pintor | pintora
singer | Sänger | Sängerin | chanteur | chanteuse | cantante | cantante
smith | Schmied | Schmiedin | forgeron | forgeronne | herrero | herrera
carpenter | Tischler | Tischlerin | menuisier | menuisière | carpintero | carpintera
shepherd | Schäfer | Schäferin | berger | bergère | pastor | pastora
doctor | Arzt | Ärztin | médecin | médecin | médico | médica
printer | Drucker | Druckerin | imprimeur | imprimeuse | impresor | impresora
clockmaker | Uhrmacher | Uhrmacherin | horloger | horlogère | relojero | relojera
tailor | Schneider | Schneiderin | tailleur | tailleuse | sastre | sastra
beekeeper | Imker | Imkerin | apiculteur | apicultrice | apicultor | apicultora
judge | Richter | Richterin | juge | juge | juez | jueza
shoemaker | Schuster | Schusterin | cordonnier | cordonnière | zapatero | zapatera
""")

# English with article | German accusative | French | Spanish
ANIMALS = rows("""
a dog | einen Hund | un chien | un perro
a cat | eine Katze | un chat | un gato
a goat | eine Ziege | une chèvre | una cabra
a horse | ein Pferd | un cheval | un caballo
a donkey | einen Esel | un âne | un burro
a rabbit | ein Kaninchen | un lapin | un conejo
a parrot | einen Papagei | un perroquet | un loro
a turtle | eine Schildkröte | une tortue | una tortuga
a sheep | ein Schaf | un mouton | una oveja
a goose | eine Gans | une oie | un ganso
a pig | ein Schwein | un cochon | un cerdo
a hedgehog | einen Igel | un hérisson | un erizo
""")

# Named as in "the favourite colour is ..."
COLOURS = rows("""
red | Rot | le rouge | el rojo
blue | Blau | le bleu | el azul
green | Grün | le vert | el verde
yellow | Gelb | le jaune | el amarillo
black | Schwarz | le noir | el negro
white | Weiß | le blanc | el blanco
brown | Braun | le brun | el marrón
grey | Grau | le gris | el gris
orange | Orange | l'orange | el naranja
violet | Violett | le violet | el violeta
""")

# As in "likes to eat ..."
FOODS = rows("""
soup | Suppe | la soupe | la sopa
bread | Brot | le pain | el pan
cheese | Käse | le fromage | el queso
rice | Reis | le riz | el arroz
fish | Fisch | le poisson | el pescado
honey | Honig | le miel | la miel
cake | Kuchen | le gâteau | el pastel
cabbage | Kohl | le chou | la col
butter | Butter | le beurre | la mantequilla
chocolate | Schokolade | le chocolat | el chocolate
salad | Salat | la salade | la ensalada
ham | Schinken | le jambon | el jamón
pumpkin | Kürbis | la citrouille | la calabaza
garlic | Knoblauch | l'ail | el ajo
jam | Marmelade | la confiture | la mermelada
ice cream | Eis | la glace | el helado
""")

# As in "plays ..."
INSTRUMENTS = rows("""
the piano | Klavier | du piano | el piano
the violin | Geige | du violon | el violín
the flute | Flöte | de la flûte | la flauta
the guitar | Gitarre | de la guitare | la guitarra
the drum | Trommel | du tambour | el tambor
the harp | Harfe | de la harpe | el arpa
the trumpet | Trompete | de la trompette | la trompeta
the cello | Cello | du violoncelle | el violonchelo
the accordion | Akkordeon | de l'accordéon | el acordeón
the organ | Orgel | de l'orgue | el órgano
""")

# Plural, as in "buys 3 ..."
GOODS = rows("""
apples | Äpfel | pommes | manzanas
pears | Birnen | poires | peras
eggs | Eier | œufs | huevos
lemons | Zitronen | citrons | limones
onions | Zwiebeln | oignons | cebollas
candles | Kerzen | bougies | velas
nails | Nägel | clous | clavos
brushes | Bürsten | brosses | cepillos
cups | Tassen | tasses | tazas
plates | Teller | assiettes | platos
spoons | Löffel | cuillères | cucharas
baskets | Körbe | paniers | cestas
ropes | Seile | cordes | cuerdas
lamps | Lampen | lampes | lámparas
books | Bücher | livres | libros
maps | Karten | cartes | mapas
shirts | Hemden | chemises | camisas
hats | Hüte | chapeaux | sombreros
keys | Schlüssel | clés | llaves
clocks | Uhren | horloges | relojes
chairs | Stühle | chaises | sillas
bells | Glocken | cloches | campanas
""")

WEEKDAYS = rows("""
Monday | Montag | lundi | lunes
Tuesday | Dienstag | mardi | martes
Wednesday | Mittwoch | mercredi | miércoles
Thursday | Donnerstag | jeudi | jueves
Friday | Freitag | vendredi | viernes
Saturday | Samstag | samedi | sábado
Sunday | Sonntag | dimanche | domingo
""")

MONTHS = rows("""
January | Januar | janvier | enero
February | Februar | février | febrero
March | März | mars | marzo
April | April | avril | abril
May | Mai | mai | mayo
June | Juni | juin | junio
July | Juli | juillet | julio
August | August | août | agosto
September | September | septembre | septiembre
October | Oktober | octobre | octubre
November | November | novembre | noviembre
December | Dezember | décembre | diciembre
""")
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

NUMBERS = rows("""
zero | null | zéro | cero
one | eins | un | uno
two | zwei | deux | dos
three | drei | trois | tres
four | vier | quatre | cuatro
five | fünf | cinq | cinco
six | sechs | six | seis
seven | sieben | sept | siete
eight | acht | huit | ocho
nine | neun | neuf | nueve
ten | zehn | dix | diez
eleven | elf | onze | once
twelve | zwölf | douze | doce
thirteen | dreizehn | treize | trece
fourteen | vierzehn | quatorze | catorce
fifteen | fünfzehn | quinze | quince
sixteen | sechzehn | seize | dieciséis
seventeen | siebzehn | dix-sept | diecisiete
eighteen | achtzehn | dix-huit | dieciocho
nineteen | neunzehn | dix-neuf | diecinueve
twenty | zwanzig | vingt | veinte
""")

DIRECTIONS = rows("""
north | nördlich | au nord | al norte
east | östlich | à l'est | al este
south | südlich | au sud | al sur
west | westlich | à l'ouest | al oeste
""")

MORSE = {
    "a": ".-", "b": "-...", "c": "-.-.", "d": "-..", "e": ".", "f": "..-.", "g": "--.",
    "h": "....", "i": "..", "j": ".---", "k": "-.-", "l": ".-..", "m": "--", "n": "-.",
    "o": "---", "p": ".--.", "q": "--.-", "r": ".-.", "s": "...", "t": "-", "u": "..-",
    "v": "...-", "w": ".--", "x": "-..-", "y": "-.--", "z": "--..",
}

# Where a thing can lie, where somebody can go: English | German accusative | German dative
CONTAINERS = rows("""
the box | die Kiste | der Kiste
the drawer | die Schublade | der Schublade
the jar | den Krug | dem Krug
the barrel | das Fass | dem Fass
the chest | die Truhe | der Truhe
the basket | den Korb | dem Korb
""")
ROOMS = rows("""
the cellar | den Keller
the kitchen | die Küche
the garden | den Garten
the tower | den Turm
the boat | das Boot
the barn | die Scheune
""")

# Things to hide: English | German accusative
THINGS = rows("""
the key | den Schlüssel
the ring | den Ring
the letter | den Brief
the coin | die Münze
the map | die Karte
""")
