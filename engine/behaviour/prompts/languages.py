"""Simple questions in other languages than English, with the answers that are accepted."""

from __future__ import annotations

from tuneproof.engine.behaviour.axis_case import AnswerRule

_QUESTIONS: list[tuple[str, list[str]]] = [
    # German
    ("Was ist die Hauptstadt von Frankreich? Antworte mit einem Wort.", ["Paris"]),
    ("Was ist das Gegenteil von „heiß“? Antworte mit einem Wort.", ["kalt"]),
    ("Welcher Tag kommt nach Montag? Antworte mit einem Wort.", ["Dienstag"]),
    ("Welche Farbe hat Schnee? Antworte mit einem Wort.", ["weiß", "weiss"]),
    ("Wie viel ist 6 plus 7? Antworte nur mit der Zahl.", ["13", "dreizehn"]),
    ("Wie viele Tage hat eine Woche? Antworte nur mit der Zahl.", ["7", "sieben"]),
    ("Wie heißt „water“ auf Deutsch? Antworte mit einem Wort.", ["Wasser"]),
    ("Welcher Monat kommt nach Mai? Antworte mit einem Wort.", ["Juni"]),
    # French
    ("Quelle est la capitale de l'Italie ? Réponds en un mot.", ["Rome"]),
    ("Quel est le contraire de « grand » ? Réponds en un mot.", ["petit"]),
    ("Quel jour vient après lundi ? Réponds en un mot.", ["mardi"]),
    ("De quelle couleur est la neige ? Réponds en un mot.", ["blanc", "blanche"]),
    ("Combien font 8 plus 9 ? Réponds seulement par le nombre.", ["17", "dix-sept"]),
    ("Combien de mois y a-t-il dans une année ? Réponds seulement par le nombre.", ["12", "douze"]),
    ("Comment dit-on « house » en français ? Réponds en un mot.", ["maison"]),
    ("Quel animal miaule ? Réponds en un mot.", ["chat", "chats"]),
    # Spanish
    ("¿Cuál es la capital de Alemania? Responde con una palabra.", ["Berlín", "Berlin"]),
    ("¿Cuál es el contrario de «frío»? Responde con una palabra.", ["caliente", "calor", "cálido"]),
    ("¿Qué día viene después del lunes? Responde con una palabra.", ["martes"]),
    ("¿De qué color es la hierba? Responde con una palabra.", ["verde"]),
    ("¿Cuánto es 5 más 9? Responde solo con el número.", ["14", "catorce"]),
    ("¿Cuántas patas tiene un perro? Responde solo con el número.", ["4", "cuatro"]),
    ("¿Cómo se dice «book» en español? Responde con una palabra.", ["libro"]),
    ("¿Qué mes viene después de enero? Responde con una palabra.", ["febrero"]),
    # Italian
    ("Qual è la capitale della Spagna? Rispondi con una parola.", ["Madrid"]),
    ("Qual è il contrario di «alto»? Rispondi con una parola.", ["basso"]),
    ("Quale giorno viene dopo lunedì? Rispondi con una parola.", ["martedì", "martedi"]),
    ("Di che colore è il cielo sereno? Rispondi con una parola.", ["azzurro", "blu", "celeste"]),
    ("Quanto fa 7 più 8? Rispondi solo con il numero.", ["15", "quindici"]),
    ("Quanti giorni ha una settimana? Rispondi solo con il numero.", ["7", "sette"]),
    ("Come si dice «water» in italiano? Rispondi con una parola.", ["acqua"]),
    ("Quale mese viene dopo aprile? Rispondi con una parola.", ["maggio"]),
    # Portuguese
    ("Qual é a capital da França? Responda com uma palavra.", ["Paris"]),
    ("Qual é o contrário de «grande»? Responda com uma palavra.", ["pequeno", "pequena"]),
    ("Que mês vem depois de janeiro? Responda com uma palavra.", ["fevereiro"]),
    ("De que cor é a neve? Responda com uma palavra.", ["branca", "branco"]),
    ("Quanto é 6 mais 5? Responda só com o número.", ["11", "onze"]),
    ("Quantas horas tem um dia? Responda só com o número.", ["24"]),
    ("Como se diz «milk» em português? Responda com uma palavra.", ["leite"]),
    ("Que animal late? Responda com uma palavra.", ["cão", "cachorro"]),
    # Dutch
    ("Wat is de hoofdstad van Nederland? Antwoord met één woord.", ["Amsterdam"]),
    ('Wat is het tegenovergestelde van "warm"? Antwoord met één woord.', ["koud"]),
    ("Hoeveel is 9 plus 4? Antwoord alleen met het getal.", ["13", "dertien"]),
    ("Welke kleur heeft gras? Antwoord met één woord.", ["groen"]),
    # Polish
    ("Jaka jest stolica Polski? Odpowiedz jednym słowem.", ["Warszawa"]),
    ("Ile to jest 6 plus 8? Odpowiedz tylko liczbą.", ["14", "czternaście"]),
    ("Jakiego koloru jest śnieg? Odpowiedz jednym słowem.", ["biały", "białego"]),
    ("Ile dni ma tydzień? Odpowiedz tylko liczbą.", ["7", "siedem"]),
    # Russian
    ("Какой город является столицей России? Ответь одним словом.", ["Москва"]),
    ("Сколько будет 7 плюс 6? Ответь только числом.", ["13", "тринадцать"]),
    ("Какого цвета трава? Ответь одним словом.", ["зелёная", "зеленая", "зелёный", "зеленый", "зелёного", "зеленого"]),
    ("Сколько дней в неделе? Ответь только числом.", ["7", "семь"]),
    # Turkish
    ("Türkiye'nin başkenti neresidir? Tek kelimeyle cevap ver.", ["Ankara"]),
    ("8 artı 5 kaç eder? Sadece sayıyla cevap ver.", ["13", "on üç"]),  # noqa: RUF001
    ("Kar ne renktir? Tek kelimeyle cevap ver.", ["beyaz"]),
    # Chinese
    ("法国的首都是哪里?只用一个词回答。", ["巴黎"]),
    ("8加7等于多少?只回答数字。", ["15", "十五"]),
    ("一个星期有几天?只回答数字。", ["7", "七"]),
    ("雪是什么颜色的?只用一个词回答。", ["白色", "白"]),
    ("“大”的反义词是什么?只用一个字回答。", ["小"]),
    # Japanese
    ("日本の首都はどこですか。一語で答えてください。", ["東京"]),
    ("9足す6はいくつですか。数字だけで答えてください。", ["15", "十五"]),
    ("雪は何色ですか。一語で答えてください。", ["白", "白色", "しろ"]),
    # Arabic
    ("ما هي عاصمة مصر؟ أجب بكلمة واحدة.", ["القاهرة"]),
    ("كم يساوي 6 زائد 9؟ أجب بالرقم فقط.", ["15", "١٥"]),  # noqa: RUF001
]

QUESTIONS_BY_LANGUAGE: list[tuple[str, AnswerRule, list[str]]] = [
    (question, AnswerRule.CONTAINS, accepted) for question, accepted in _QUESTIONS
]
