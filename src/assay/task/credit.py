"""The German Credit data set's answers in words, from worse to better where they have such an order."""

from __future__ import annotations

CATEGORIES = [
    (
        "account_level",
        "account",
        [
            "... < 0 DM",
            "0 <= ... < 200 DM",
            "... >= 200 DM / salary assignments for at least 1 year",
            "no checking account",
        ],
    ),
    (
        "history_level",
        "history",
        [
            "no credits taken/ all credits paid back duly",
            "all credits at this bank paid back duly",
            "delay in paying off in the past",
            "existing credits paid back duly till now",
            "critical account/ other credits existing (not at this bank)",
        ],
    ),
    (
        "savings_level",
        "savings",
        [
            "... < 100 DM",
            "100 <= ... < 500 DM",
            "unknown/ no savings account",
            "500 <= ... < 1000 DM",
            "... >= 1000 DM",
        ],
    ),
    (
        "employment_level",
        "employment",
        ["unemployed", "... < 1 year", "1 <= ... < 4 years", "4 <= ... < 7 years", "... >= 7 years"],
    ),
    (
        "property_level",
        "property",
        [
            "unknown / no property",
            "car or other, not in attribute Savings account/bonds",
            "building society savings agreement/ life insurance",
            "real estate",
        ],
    ),
    ("other_plans_level", "other_plans", ["bank", "stores", "none"]),
    ("housing_level", "housing", ["for free", "rent", "own"]),
    ("guarantors_level", "guarantors", ["co-applicant", "none", "guarantor"]),
    (
        "job_level",
        "job",
        [
            "unemployed/ unskilled - non-resident",
            "unskilled - resident",
            "skilled employee / official",
            "management/ self-employed/ highly qualified employee/ officer",
        ],
    ),
    (
        "purpose_code",
        "purpose",
        [
            "education",
            "others",
            "car (new)",
            "repairs",
            "business",
            "domestic appliances",
            "furniture/equipment",
            "radio/television",
            "car (used)",
            "retraining",
        ],
    ),
]
