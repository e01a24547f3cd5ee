#!/usr/bin/env python3
"""Writes identifying_attributes.csv: the attributes of DICOM PS3.15 (2024b), table E.1-1, with their value representations.

  python3 -m venv V && V/bin/pip install dicom-anonymizer==2.1.0 pydicom==3.0.2
  V/bin/python make_identifying_attributes.py

The table is that of dicom-anonymizer, the representations are pydicom's. Of groups that repeat (curves, overlays) the first
is taken. What the table lists as patterns of private groups is left out: the test makes private elements of its own.
"""

from pathlib import Path

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2024b as table
from pydicom.datadict import dictionary_keyword, dictionary_VR

attributes = {}
for name in vars(table):
    if not name.endswith("_TAGS"):
        continue
    for tag in getattr(table, name):
        group, element = tag[:2]
        if len(tag) > 2:  # (group, element, mask, mask): a repeating group
            print("masked", tag)
        if group % 2:
            continue
        try:
            attributes[group, element] = (dictionary_VR((group, element)).split(" ")[0], dictionary_keyword((group, element)))
        except KeyError:
            print(f"unknown: {group:04X},{element:04X}")
with open(Path(__file__).parent / "identifying_attributes.csv", "w") as file:
    file.write("tag,vr,keyword\n")
    for (group, element), (vr, keyword) in sorted(attributes.items()):
        file.write(f"{group:04X}{element:04X},{vr},{keyword}\n")
print(len(attributes), "attributes")
