"""Countries of the simulated world: who lives there, what they write, when the sun is up.

Shares are a rough picture of a model API's public customer base and are invented; only their order of size matters.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """One country.

    Attributes:
        code: ISO 3166-1 alpha-2.
        share: Weight among ordinary customers.
        utc_offset_h: Hours ahead of UTC.
        languages: What its people write to a model, with weights.
    """

    code: str
    share: float
    utc_offset_h: float
    languages: dict[str, float]


COUNTRIES: tuple[Country, ...] = (
    Country("US", 24, -6, {"en": 92, "es": 6, "zh": 1, "ko": 1}),
    Country("IN", 11, 5.5, {"en": 100}),
    Country("GB", 5, 0, {"en": 97, "ar": 2, "es": 1}),
    Country("DE", 5, 1, {"de": 72, "en": 25, "ru": 3}),
    Country("FR", 3, 1, {"fr": 80, "en": 17, "ar": 3}),
    Country("BR", 5, -3, {"pt": 88, "en": 12}),
    Country("JP", 5, 9, {"ja": 88, "en": 12}),
    Country("KR", 4, 9, {"ko": 88, "en": 12}),
    Country("CA", 3, -5, {"en": 84, "fr": 12, "zh": 4}),
    Country("AU", 2.5, 10, {"en": 95, "zh": 5}),
    Country("ES", 2.5, 1, {"es": 84, "en": 16}),
    Country("MX", 2.5, -6, {"es": 88, "en": 12}),
    Country("AR", 1.2, -3, {"es": 92, "en": 8}),
    Country("CO", 1, -5, {"es": 92, "en": 8}),
    Country("IT", 2, 1, {"en": 40, "es": 10, "fr": 50}),
    Country("NL", 1.5, 1, {"en": 80, "de": 20}),
    Country("PL", 1.5, 1, {"en": 85, "ru": 8, "de": 7}),
    Country("SE", 1, 1, {"en": 100}),
    Country("CH", 0.8, 1, {"de": 60, "fr": 22, "en": 18}),
    Country("AT", 0.6, 1, {"de": 82, "en": 18}),
    Country("UA", 1, 2, {"ru": 55, "en": 45}),
    Country("KZ", 0.5, 5, {"ru": 85, "en": 15}),
    Country("GE", 0.4, 4, {"ru": 55, "en": 45}),
    Country("IL", 0.8, 2, {"en": 75, "ru": 20, "ar": 5}),
    Country("TR", 1.5, 3, {"en": 95, "ar": 5}),
    Country("AE", 0.8, 4, {"ar": 45, "en": 55}),
    Country("SA", 0.7, 3, {"ar": 85, "en": 15}),
    Country("EG", 0.8, 2, {"ar": 85, "en": 15}),
    Country("MA", 0.3, 1, {"ar": 55, "fr": 45}),
    Country("SG", 1.5, 8, {"en": 65, "zh": 35}),
    Country("TW", 1.8, 8, {"zh": 88, "en": 12}),
    Country("HK", 1.2, 8, {"zh": 72, "en": 28}),
    Country("MY", 0.7, 8, {"en": 70, "zh": 30}),
    Country("ID", 1.5, 7, {"en": 100}),
    Country("VN", 1.2, 7, {"en": 100}),
    Country("TH", 0.7, 7, {"en": 100}),
    Country("PH", 1.2, 8, {"en": 100}),
    Country("PK", 0.8, 5, {"en": 100}),
    Country("NG", 0.8, 1, {"en": 100}),
    Country("ZA", 0.6, 2, {"en": 100}),
    Country("KE", 0.3, 3, {"en": 100}),
    Country("PT", 0.6, 0, {"pt": 85, "en": 15}),
)

CODES: tuple[str, ...] = tuple(country.code for country in COUNTRIES)
LANGUAGES: tuple[str, ...] = ("en", "zh", "es", "de", "ja", "ko", "ar", "ru", "fr", "pt")
