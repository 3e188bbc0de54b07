#!/usr/bin/env python3
"""Makes the data sets of this folder; the same sources give the same bytes.

Install first (Debian or Ubuntu; any system will do that has Fashion-MNIST's four files in a folder, and `bible` 4.38):

    sudo apt-get install -y dataset-fashion-mnist bible-kjv python3-sklearn      # or: pip install scikit-learn
    python3 data/make.py [folder of Fashion-MNIST, if not /usr/share/datasets/fashion-mnist]
"""

import gzip
import hashlib
import re
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FASHION_MNIST = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
SEED = "deep unsupervised learning"
CLASSES = 10
BOOKS = """Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth 1_Samuel 2_Samuel 1_Kings 2_Kings 1_Chronicles
2_Chronicles Ezra Nehemiah Esther Job Psalms Proverbs Ecclesiastes Song_of_Solomon Isaiah Jeremiah Lamentations Ezekiel Daniel
Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah Haggai Zechariah Malachi Matthew Mark Luke John Acts Romans
1_Corinthians 2_Corinthians Galatians Ephesians Philippians Colossians 1_Thessalonians 2_Thessalonians 1_Timothy 2_Timothy
Titus Philemon Hebrews James 1_Peter 2_Peter 1_John 2_John 3_John Jude Revelation"""


def write_gzipped(path, contents):
    """Writes bytes gzipped: no name and no time in the header, so that the bytes repeat."""
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as out:
        out.write(contents)


def write_idx(path, shape, values):
    """Writes unsigned bytes as gzipped IDX."""
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 0x08, len(shape), *shape)
    write_gzipped(path, header + bytes(values))
    print(f"{path.relative_to(HERE.parent)}: {shape}, {path.stat().st_size:,} bytes")


def read_fashion(part):
    """The images of one official part as 784 bytes each, and their labels."""
    images = gzip.decompress((FASHION_MNIST / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((FASHION_MNIST / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    magic, count, height, width = struct.unpack(">4I", images[:16])
    assert (magic, height, width) == (0x803, 28, 28), f"{part}: not 28x28 images"
    assert struct.unpack(">2I", labels[:8]) == (0x801, count), f"{part}: images and labels do not belong together"
    assert len(images) == 16 + 784 * count and len(labels) == 8 + count, f"{part}: truncated"
    return [images[16 + 784 * i : 16 + 784 * (i + 1)] for i in range(count)], labels[8:]


def choose(part, images, labels, per_class, excluded):
    """Indices of `per_class` distinct images of each class, none of them in `excluded`, in a random order.

    The order is by a hash of seed and index: unlike a generator's, it can never change with a library's version.
    """
    order = sorted(range(len(images)), key=lambda i: hashlib.sha256(f"{SEED} {part} {i}".encode()).digest())
    seen, left, chosen, dropped = set(excluded), [per_class] * CLASSES, [], 0
    for i in order:
        if left[labels[i]] == 0:
            continue
        if images[i] in seen:
            dropped += 1
            continue
        seen.add(images[i])
        left[labels[i]] -= 1
        chosen.append(i)
    assert not any(left), f"{part}: too few images of a class"
    print(f"fashion-mnist {part}: {len(chosen)} chosen, {dropped} repeated images passed over")
    return chosen


def make_fashion():
    train_images, train_labels = read_fashion("train")
    test_images, test_labels = read_fashion("t10k")
    parts = [
        ("train", train_images, train_labels, choose("train", train_images, train_labels, 1000, [])),
        ("t10k", test_images, test_labels, choose("t10k", test_images, test_labels, 200, train_images)),
    ]
    for part, images, labels, chosen in parts:
        pixels = b"".join(images[i] for i in chosen)
        write_idx(HERE / f"fashion-mnist/{part}-images-idx3-ubyte.gz", (len(chosen), 28, 28), pixels)
        write_idx(HERE / f"fashion-mnist/{part}-labels-idx1-ubyte.gz", (len(chosen),), [labels[i] for i in chosen])


def make_digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    values = digits.images.astype("uint8")
    assert values.shape == (1797, 8, 8) and (values == digits.images).all() and values.max() == 16
    distinct = len({image.tobytes() for image in values})
    print(f"digits: {len(values)} images, {distinct} distinct")
    write_idx(HERE / "digits/images-idx3-ubyte.gz", values.shape, values.tobytes())
    write_idx(HERE / "digits/labels-idx1-ubyte.gz", digits.target.shape, digits.target.astype("uint8").tobytes())


def make_bible():
    """A heading line such as "Genesis 1" before each chapter, a line for each verse, an empty line between chapters."""
    command = ["bible", "-f", "gen1:1-rev22:21"]
    verses = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout
    names, books, chapters = BOOKS.split(), [], []
    for line in verses.splitlines():
        book, chapter, verse, words = re.fullmatch(r"(\d?[A-Za-z]+)(\d+):(\d+) (.*)", line).groups()
        if book not in books:
            books.append(book)
        if verse == "1":
            chapters.append([f"{names[len(books) - 1].replace('_', ' ')} {chapter}"])
        assert len(chapters[-1]) == int(verse), line
        chapters[-1].append(" ".join(words.split()))
    assert (len(books), len(chapters), sum(len(c) - 1 for c in chapters)) == (66, 1189, 31102)
    path, text = HERE / "king-james/king-james.txt.gz", "\n\n".join("\n".join(c) for c in chapters) + "\n"
    write_gzipped(path, text.encode("ascii"))
    print(f"{path.relative_to(HERE.parent)}: {len(text):,} characters, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    make_bible()
    make_digits()
    make_fashion()
