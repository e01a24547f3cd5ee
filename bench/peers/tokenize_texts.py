"""Texts to ids with Hugging Face tokenizers on one thread:  tokenize_texts.py VOCABULARY TABLE [COUNT] [one | batch]

  one    encode(), a text at a time       batch  encode_batch() of all of them, still on one thread
"""

import csv
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from protocol import serve  # noqa: E402
from tokenizers import BertWordPieceTokenizer  # noqa: E402


def main():
    vocabulary, table = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    batch = len(sys.argv) > 4 and sys.argv[4] == "batch"
    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
    csv.field_size_limit(1 << 30)
    with open(table, newline="", encoding="utf-8") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    texts = [rows[i % len(rows)] for i in range(count)]

    def measure():
        start = time.perf_counter()
        if batch:
            tokenizer.encode_batch(texts)
        else:
            for text in texts:
                tokenizer.encode(text)
        return count / (time.perf_counter() - start)

    measure()
    serve(measure)


if __name__ == "__main__":
    main()
