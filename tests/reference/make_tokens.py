"""Tokens of 1,000 odd texts: tokens.json, with the small vocabularies it was made with: tokens_vocab.txt and
tokens_tokenizer.json (WordPiece) and tokens_unigram.model (SentencePiece), both trained on sentences made up here.
The trainer of WordPiece breaks ties anew in every run, so that vocabulary differs from run to run.

Run with tokenizers 0.23.3, sentencepiece 0.2.3 and protobuf:  python make_tokens.py

A token is written as three numbers: id, bytes between the end of the token before and its begin, length in bytes.
"""
import hashlib
import io
import itertools
import json
import pathlib
import random
import tempfile

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
rng = random.Random(7)

FINDINGS = ("pneumothorax", "cardiomegaly", "pleural effusion", "consolidation", "atelectasis", "interstitial oedema",
            "pneumonia", "fibrosis", "emphysema", "a calcified granuloma", "hyperinflation", "lymphadenopathy")
PLACES = ("left lower lobe", "right upper lobe", "lingula", "costophrenic angle", "right hilum", "mediastinum", "apex")
HOW = ("mild", "moderate", "severe", "new", "unchanged", "resolving", "probable", "small", "large", "bilateral")
DRUGS = ("metoprolol", "furosemide", "amoxicillin", "warfarin", "prednisolone", "paracetamol", "insulin glargine")


def sentence():
    number = rng.randint(1, 200)
    return rng.choice([
        f"There is {rng.choice(HOW)} {rng.choice(FINDINGS)} in the {rng.choice(PLACES)}.",
        f"No evidence of {rng.choice(FINDINGS)} or {rng.choice(FINDINGS)}; compared with the study of 20{number % 25:02d}.",
        f"{rng.choice(DRUGS).capitalize()} {number} mg twice daily, stopped on day {number % 30}.",
        f"The patient (age {number % 100}) reports {rng.choice(HOW)} chest pain, SpO2 {90 + number % 10}%.",
        f"Impression: {rng.choice(HOW)} {rng.choice(FINDINGS)}, {rng.choice(PLACES)}. T={36 + number % 5}.{number % 10}°C.",
    ])


ODD = [
    "", " ", "\t\r\n", "\u00a0\u2003\u3000\u2028\u2029\u0085\u1680\u200b", "\x00", "a\x00b", "\x01\x02a\x7fb\x0bc\x0cd\x1fe",
    "caf\u00e9", "cafe\u0301", "e\u0301\u0316\u0334x", "\u0301", "\u0301a", " \u0301 a", "A\u030angstro\u0308m", "\u212b", "\u0344\u0316x",
    "\u0f73\u0f71\u0f74", "\u1e9b\u0323", "\uac00\uac01\ud7a3", "\u1112\u1161\u11ab", "\u80ba\u708e", "\u53f3\u80ba\u4e2d\u53f6a\u80bab",
    "\u3042\u3044\uff71\uff72\uff9e", "\U00020000x\U0002b820\U0002b920\U0002f800", "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok",
    "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f", "\u05e9\u05c1\u05dc\u05d5\u05dd", "\u0645\u0631\u064a\u0636\u064b", "\u202eabc\u202c",
    "\u0130stanbul I\u0131\u0130", "\ufb01brosis o\ufb03ce \ufb03", "soft\u00adhyphen", "\u00ad", "\ufeffpneumonia", "\ufffd", "x\ufffdy",
    "STRASSE Stra\u00dfe \u1e9e", "\u03a3\u0391\u03a3 \u03a3", "\u0958\u0915\u093c", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22", "\u00bd\u00b2\u00b5g", "\u2460\u2167",
    "\u1c89\ua7dc\U00010d50\U00016ea0", "\u166d\U000111c9\u1734\u1885\ua9bd", "\u2e43\u2e52\U00010ead", "\U00011938", "\ue000\U000f0000", "\u0378",
    "[CLS] pneumonia [SEP]", "[MASK][MASK]", "[cls]", "[UNK]x[PAD]", "[MASK", "##a", "# #", "'tis 5'4\" o'clock", "...!!!???---", "$5.00/day",
    "a" * 100, "a" * 101, "x" * 99 + "\u00e9", "x" * 100 + "\u00e9", "\u00e9" * 100, "e\u0301" * 100, "ab" * 150, "." * 120, "-" * 5 + "a" * 30,
    "\u2581", "a\u2581b", "\u2581\u2581 a", "  two  spaces  ", "trailing ", " leading", "\n\nline\n", "1,234.5", "10^-3", "p<0.05", "\u00b110%",
    "\U0010ffff", "\ud7ff\ue000", "\u1ffe\u1fef\u037e\u0387", "\u302e\u302f", "\u0f0b\u0f0c", "\u180e", "\u2060a\u200db", "\u0600\u06dd",
]


def odd_text():
    pools = [range(0x20, 0x7f), range(0x20, 0x7f), range(0, 0x20), range(0x80, 0x250), range(0x2b0, 0x370), range(0x300, 0x370), range(0x370, 0x530),
             range(0x590, 0x700), range(0x900, 0xe00), range(0xe00, 0x1100), range(0x1100, 0x1200), range(0x1e00, 0x2000), range(0x2000, 0x2070),
             range(0x2070, 0x2600), range(0x3000, 0x3100), range(0x4e00, 0x4f00), range(0xac00, 0xad00), range(0xf900, 0xfb10),
             range(0xfe00, 0x10000), range(0x1d100, 0x1d400), range(0x1f300, 0x1f700), range(0x11000, 0x11200), range(0x20000, 0x20100)]
    pool, other, text = rng.choice(pools), rng.choice(pools), ""
    words = sentence().split(" ")
    for _ in range(rng.randint(1, 9)):
        draw = rng.random()
        if draw < 0.25:
            text += " " + rng.choice(words)
        elif draw < 0.4:
            text += rng.choice([" ", "  ", "\t", "\n", "\u00a0", "\u2009", "\u3000", "\u200b", "\u00ad", "\u0301", "\u200d"])
        else:
            text += "".join(chr(rng.choice(rng.choice([pool, pool, other]))) for _ in range(rng.randint(1, 4)))
    return text


def written(tokens):
    """Each token as id, gap, length."""
    last, out = 0, []
    for identity, begin, end in tokens:
        out += [identity, begin - last, end - begin]
        last = end
    return out


def wordpiece(tokenizer, texts):
    lists = []
    for text, one in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False)):
        place = list(itertools.accumulate((len(c.encode()) for c in text), initial=0))  # bytes before each code point
        lists.append(written((i, place[b], place[e]) for i, (b, e) in zip(one.ids, one.offsets)))
    return lists


def digest(lists):
    return hashlib.sha256("".join(" ".join(map(str, one)) + "\n" for one in lists).encode()).hexdigest()


corpus = [sentence() for _ in range(4000)]
texts = ODD + [sentence() for _ in range(100)]
while len(texts) < 1000:
    text = odd_text()
    if not any(0xd800 <= ord(c) < 0xe000 for c in text):
        texts.append(text)

tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
tokenizer.normalizer = normalizers.BertNormalizer()
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
letters = [chr(c) for r in (range(0x21, 0x7f), range(0xdf, 0x180), range(0x391, 0x3ca), range(0x430, 0x460)) for c in r]
tokenizer.train_from_iterator(corpus, trainers.WordPieceTrainer(
    vocab_size=900, special_tokens=SPECIAL, initial_alphabet=letters + list("\u80ba\u708e\u4e2d\u0307\u093c\u0e32\u05e9\u0645\u1112\u1161\u2581")))
vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
# Every letter may go on a word, so that lower case shows in ids.
words = [word for word, _ in vocabulary]
words += [f"##{c}" for c in letters if c.islower() and f"##{c}" not in words]
assert len(words) == len(set(words))
tokenizer.model = models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]", max_input_chars_per_word=100)
(HERE / "tokens_vocab.txt").write_text("\n".join(words) + "\n", newline="\n")
tokenizer.save(str(HERE / "tokens_tokenizer.json"), pretty=False)

variants = []
for clean, chinese, strip, lower in [(1, 1, None, 0), (1, 1, 0, 1), (1, 1, 1, 0), (0, 1, None, 1), (0, 0, 0, 0), (1, 0, None, 1)]:
    rules = dict(clean_text=bool(clean), handle_chinese_chars=bool(chinese),
                 strip_accents=None if strip is None else bool(strip), lowercase=bool(lower))
    tokenizer.normalizer = normalizers.BertNormalizer(**rules)
    variants.append({**rules, "sha256": digest(wordpiece(tokenizer, texts))})
tokenizer.normalizer = normalizers.BertNormalizer()

# Every code point between letters and marks, one digest for each plane.
planes = []
for plane in range(17):
    around = [f"a{chr(c)}b \u0316{chr(c)}\u0301{chr(c)}" for c in range(plane << 16, (plane + 1) << 16) if not 0xd800 <= c < 0xe000]
    planes.append(digest(wordpiece(tokenizer, around)))

with tempfile.TemporaryDirectory() as folder:
    rules = pathlib.Path(folder) / "rules.tsv"
    lines = [("FB01", "66 69"), ("FB03", "66 66 69"), ("A0", "20"), ("3000", "20"), ("2003", "20"), ("9", "20"), ("A", "20"), ("D", "20"),
             ("E9", "65"), ("65 301", "65"), ("AD", ""), ("200B", ""), ("FEFF", ""), ("B2", "32"), ("212B", "41"), ("BD", "31 2044 32")]
    rules.write_text("".join(f"{a}\t{b}\n" for a, b in lines))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, model_type="unigram", vocab_size=600, num_threads=1, pad_id=3,
        normalization_rule_tsv=str(rules), hard_vocab_limit=False, minloglevel=2)
(HERE / "tokens_unigram.model").write_bytes(model.getvalue())
processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
unigram = []
for text in texts:
    proto = processor.encode(text, return_type="proto")
    unigram.append(written((piece.id, piece.begin, piece.end) for piece in proto.pieces))

(HERE / "tokens.json").write_text(json.dumps(
    {"texts": texts, "wordpiece": wordpiece(tokenizer, texts), "variants": variants, "planes": planes, "unigram": unigram},
    ensure_ascii=False, separators=(",", ":")) + "\n")
