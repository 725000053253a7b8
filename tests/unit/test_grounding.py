"""What a model's line says in another language stands in the paper, whatever its numbers and names look like there."""

from __future__ import annotations

import pytest

from digest.domain.paper import Paper
from digest.sources.grounding import is_grounded
from digest.sources.llm_summaries import is_written_in, usable
from tests.servers.stocked import NOW, arxiv

PAPER = Paper(
    id=1,
    identifiers=(arxiv(1),),
    title="LoRA for Large Language Models",
    first_seen_at=NOW,
    abstract="We train a Transformer with 7B parameters on 1,204 tasks of ImageNet-1k and 1.2 million images, at 10{,}000 DNA"
    " samples. It is 3.5 times as fast, gains 12% on GPT-4, has two million tokens, artificial intelligence, 2.1 trillion bytes.",
)


@pytest.mark.parametrize(
    ("language", "line", "stands"),
    [
        # marks between digits are the language's own
        ("de", "Ein Verfahren mit 1.204 Aufgaben und 3,5-facher Geschwindigkeit.", True),
        ("de", "Ein Verfahren mit 1\u202f204 oder 1 204 oder 1204 Aufgaben.", True),
        ("de", "Ein Verfahren mit 1,204 Aufgaben.", False),
        ("de", "Ein Verfahren, das 35-mal so schnell ist.", False),
        ("de", "Ein Verfahren, das 3.5-mal so schnell ist.", True),
        ("fr", "Une méthode pour 1 204 tâches, 3,5 fois plus rapide (12 %).", True),
        ("fr", "Une méthode pour 1\u202f205 tâches.", False),
        ("fr", "Une méthode 3,6 fois plus rapide.", False),
        ("es", "Un método para 1.204 tareas, 3,5 veces más rápido.", True),
        ("es", "Un método para 1.240 tareas.", False),
        ("zh-Hans", "在1,204个任务上训练的方法，速度是原来的3.5倍。", True),
        ("zh-Hans", "在１２０４个任务上训练的方法，提升12%。", True),
        ("zh-Hans", "在1,240个任务上训练的方法。", False),
        ("ja", "1,204件のタスクで学習し、3.5倍速い手法です。", True),
        ("ja", "204件のタスクで学習した手法です。", False),
        ("en", "A method with 1.204 tasks.", False),
        # so are words that multiply
        ("de", "Ein Modell mit 7 Milliarden Parametern und 1,2 Millionen Bildern.", True),
        ("de", "Ein 7-Mrd.-Modell für 2 Millionen Token und 2,1 Billionen Bytes.", True),
        ("de", "Ein Modell für 2,1 Billiarden Bytes.", False),
        ("de", "Ein Modell mit 7 Millionen Parametern.", False),
        ("fr", "Un modèle de 7 milliards de paramètres et 2,1 billions d’octets.", True),
        ("fr", "Un modèle de 7 billions de paramètres.", False),
        ("es", "Un modelo de 7 mil millones de parámetros y 10 mil muestras.", True),
        ("es", "Un modelo de 7 millones de parámetros.", False),
        ("zh-Hans", "使用120万张图像和70亿参数的方法，以及1万个样本。", True),
        ("zh-Hans", "使用12万张图像训练的方法。", False),
        ("zh-Hans", "速度提升12百分点的新方法。", True),
        ("ja", "120万枚の画像と1万件の標本で70億パラメータを学習します。", True),
        ("ja", "1万2000件の標本で学習する手法です。", False),
        ("en", "A model of 7 billion parameters on 1.2M images.", True),
        ("en", "A model of 1.2 billion images.", False),
        # names: by their capitals, which every German noun has; in Chinese and Japanese by their letters
        ("de", "Der Transformer lernt Aufgaben aus ImageNet mit LoRA-Adaptern.", True),
        ("de", "Das KI-Verfahren nutzt LLMs und liest DNS-Proben.", True),
        ("de", "Das Verfahren schlägt BERT deutlich.", False),
        ("de", "Das Verfahren schlägt LLaMA deutlich.", False),
        ("fr", "Une IA qui adapte les LLM à l’ADN avec LoRA.", True),
        ("fr", "Une méthode qui dépasse Mistral sur ImageNet.", False),
        ("es", "Un método que supera a GPT-4 con IA.", True),
        ("es", "Un método de Stanford que adapta modelos.", False),
        ("zh-Hans", "用LoRA微调LLM的新方法，超过GPT4。", True),
        ("zh-Hans", "用BERT微调语言模型的新方法。", False),
        ("zh-Hans", "由stanford提出的语言模型微调方法。", False),
        ("ja", "ＬｏＲＡで大規模言語モデルを調整する手法です。", True),
        ("ja", "Googleの大規模言語モデルを調整する手法です。", False),
    ],
)
def test_each_number_and_name_of_a_line_stands_in_the_paper(language: str, line: str, stands: bool) -> None:
    assert is_grounded(line, PAPER, language) is stands


@pytest.mark.parametrize(
    ("language", "line", "is_in"),
    [
        ("en", "A radar in orbit that sees glaciers through clouds.", True),
        ("de", "Ein Radar im Orbit, das Gletscher durch Wolken sieht.", True),
        ("de", "Neuartiges Radarverfahren erkennt Gletscher zuverlässig.", True),
        ("de", "Neuartiges De-novo-Proteindesign ohne Umwege.", True),
        ("de", "A radar in orbit that sees the glaciers through clouds.", False),
        ("en", "In-context de novo protein design.", True),
        ("fr", "Méthode de compression de modèles de langage.", True),
        ("es", "Método de compresión de modelos de lenguaje.", True),
        ("fr", "Un radar en orbite qui voit les glaciers à travers les nuages.", True),
        ("fr", "Un radar en órbita que ve los glaciares a través de las nubes.", False),
        ("es", "Un radar en órbita que ve los glaciares a través de las nubes.", True),
        ("es", "Ein Radar im Orbit, das Gletscher durch Wolken sieht.", False),
        ("zh-Hans", "一种基于Transformer的轨道雷达，可透过云层观测冰川。", True),
        ("zh-Hans", "雲を通して氷河を観測する軌道レーダーです。", False),
        ("ja", "雲を通して氷河を観測するTransformer型の軌道レーダーです。", True),
        ("ja", "一种轨道雷达，可透过云层观测冰川。", False),
        ("ja", "A radar in orbit that sees glaciers through clouds.", False),
        ("de", "一种轨道雷达，可透过云层观测冰川。", False),
    ],
)
def test_a_line_is_in_the_language_that_was_asked_for(language: str, line: str, is_in: bool) -> None:
    assert is_written_in(language, line) is is_in


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("可透过云层观测冰川的雷达。", True),
        ("雷达。", False),
        ("抱歉，我无法为这篇论文写出摘要。", False),
        ("Es tut mir leid, dabei kann ich nicht helfen.", False),
        ("Désolé, je ne peux pas vous aider pour cela.", False),
        ("Lo siento, no puedo ayudar con eso ahora.", False),
        ("申し訳ありませんが、お手伝いできません。", False),
    ],
)
def test_a_line_is_long_enough_and_no_excuse(line: str, shown: bool) -> None:
    assert bool(usable(line)) is shown
