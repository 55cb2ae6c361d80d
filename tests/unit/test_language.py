import subprocess
import sys

import pytest

from service.text.language import UNDETERMINED, detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("The ministry denied on Monday that it had ordered the drones.", "en", id="English"),
        pytest.param("Das Ministerium bestritt am Montag, die Drohnen bestellt zu haben.", "de", id="German"),
        pytest.param("Le ministère a démenti lundi avoir commandé ces drones.", "fr", id="French"),
        pytest.param("Министерство опровергло в понедельник, что заказало эти дроны.", "ru", id="Russian"),
        pytest.param("Міністерство заперечило в понеділок, що замовило ці безпілотники.", "uk", id="Ukrainian"),
        pytest.param("نفت الوزارة يوم الاثنين أنها طلبت هذه الطائرات المسيرة.", "ar", id="Arabic"),
        pytest.param("该部星期一否认了曾经订购这些无人机的有关报道。", "zh", id="Chinese"),
        pytest.param("同省は月曜日、この無人機を注文したとの報道を否定した。", "ja", id="Japanese"),
    ],
)
def test_the_language_of_a_text_is_told(text, language):
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "Monday, 5 May 2025", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "👩 🚀 " * 50])
def test_a_text_of_few_letters_has_no_language(text):
    assert detect(text) == UNDETERMINED


def test_only_the_beginning_of_a_text_is_read():
    english, german = "The ministry denied it on Monday. ", "Das Ministerium bestritt das am Montag. "
    assert detect(english * 60 + german * 3_000) == "en"


def test_the_model_is_loaded_when_it_is_asked_for_and_not_before():
    program = (
        "import sys; from service.text.language import detect, prepare; detect('1 2 3'); "
        "assert 'py3langid' not in sys.modules; prepare(); assert 'py3langid' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own program, in an interpreter that is new
