"""What the templates of the Solidity verifier are filled with: constants and memory addresses."""

from __future__ import annotations

from itertools import count as counting
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.chain.key import FIELD_ORDER, Missing, root_of_unity
from assay.chain.memory import Layout
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.chain.key import Key

# Gas that the curve's precompiles get: four times what EIP-1108 asks, so that a later repricing does not
# break deployed verifiers, and still little to burn on an invalid point.
ADD_GAS, MUL_GAS = 4 * 150, 4 * 6_000
PAIRING_GAS = 45_000 + 2 * 34_000

# The order of BN254's base field, and twice the generator of G1 (EIP-196).
_BASE_ORDER = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
DOUBLED = (
    0x030644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD3,
    0x15ED738C0E0A7C92E7845F96B2AE9C0A68A6A449E3538FC7FF3EBF7A5A18A2C4,
)

LOCAL_CHAIN_IDS = frozenset({1337, 31337})
"""Chain ids that development nodes (Anvil, Hardhat, Ganache, Geth's --dev) use: where a development key may go."""

_PROOF = 0x64
"""Where the proof's bytes start in the canonical calldata of `verify`."""

UNROLLED_ENTRIES = 96
"""Up to so many input entries the code of each is written out, which is faster and larger than a loop."""

KEY_OF_ZERO = 0x8000_0000
_TINY = 0x0554_AD2E  # the bits of the float32 1e-35
ZERO_KEYS = (0x7FFF_FFFF ^ _TINY, 0x8000_0000 | _TINY)

# Generator of G2 (EIP-197), imaginary parts first.
GENERATOR2 = (
    0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
    0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
    0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
    0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
)


def context(key: Key, vk: bytes) -> dict[str, Any]:
    """Return the values of the templates for one key."""
    values = _common(key, vk) | _inputs(key)
    values |= _linear(key) if key.linear else _trees(key)
    values |= _rounds(key, values)
    layout = Layout(key, values)
    return values | layout.values()


def _common(key: Key, vk: bytes) -> dict[str, Any]:
    return {
        "key": key,
        "version": __version__,
        "digest": keccak256(vk).hex(),
        "relation": "linear" if key.linear else "trees",
        "r": hex_word(FIELD_ORDER),
        "hex": hex,
        # The exponent's bits behind the leading one, for a power by squaring.
        "binary": lambda exponent: f"{exponent:b}"[1:],
        "negative": lambda value: hex_word(-value % FIELD_ORDER),
        "inverse": lambda value: hex_word(pow(value, -1, FIELD_ORDER)),
        "ratio": lambda roots: hex_word(roots[1] * pow(roots[0], -1, FIELD_ORDER) % FIELD_ORDER),
        "p": hex_word(_BASE_ORDER),
        "doubled": [hex_word(word) for word in DOUBLED],
        "local_chains": sorted(LOCAL_CHAIN_IDS),
        "generator2": [hex_word(word) for word in GENERATOR2],
        "selector_not_enough_gas": "0x" + keccak256(b"NotEnoughGas()")[:4].hex(),
        "add_gas": ADD_GAS,
        "mul_gas": MUL_GAS,
        "lane_offset": hex(1 << (key.lane - 1)),
        "missing_int": 1 << key.bits,
        "missing": hex(1 << key.bits),
        "mask": hex((1 << key.bits) - 1),
        "key_of_zero": hex(KEY_OF_ZERO),
        "zero_low": hex(ZERO_KEYS[0]),
        "zero_span": hex(ZERO_KEYS[1] - ZERO_KEYS[0] + 1),
        "any_zero_missing": any(view.zero_missing for view in key.views),
        "log_groups": key.groups.bit_length() - 1,
        "powers": 0 if key.linear else max(key.log_block + key.max_log, key.log_table, 4) + 1,
        "roots": [
            (hex_word(root_of_unity(key.block << log)), hex_word(root_of_unity(1 << log)))
            for log in range(key.max_log + 1)
        ],
        "last_root": _slot_root(key, key.stride - 1),
    }


def _slot_root(key: Key, slot: int) -> int:
    return pow(root_of_unity(key.stride), slot, FIELD_ORDER)


def _slots(key: Key, name: str, slots: range) -> dict[str, Any]:
    """A sum of slot selectors that is computed as a fraction."""
    # Longer sums than eight are loops, which need the first root and the ratio only.
    return {"name": name, "slots": slots, "roots": [_slot_root(key, slot) for slot in slots[:8]]}


def _rounds(key: Key, values: dict[str, Any]) -> dict[str, Any]:
    """Sizes of the proof's parts: for one block and, as far as they differ, for several."""
    round1, round2, evaluated = ([len(part) for part in values[name]] for name in ("first", "second", "evaluated"))
    chunks = [key.chunks(log) for log in range(key.max_log + 1)]
    count = _count(chunks)
    evaluations = _sized(evaluated, 32)
    points = _sized([one + two + 2 for one, two in zip(round1, round2, strict=True)], 64)
    rounds = [one + two for one, two in zip(round1, round2, strict=True)]
    return {
        "round1_size": _sized(round1, 64),
        "round1_hashed": _sized(round1, 64, 32),
        "round2_size": _sized(round2, 64),
        "at_round2": [hex(_PROOF + 64 * one) for one in round1],
        "at_round2_now": _sized(round1, 64, _PROOF),
        "at_chunks": _sized(rounds, 64, _PROOF),
        "most_points": max(round1 + round2),
        "chunks": count,
        "least_chunks": min(chunks),
        "most_chunks": max(chunks),
        "evaluations_size": evaluations,
        "proof_size": f"add({points}, add(shl(6, {count}), {evaluations}))",
        "gas_floor": _gas_floor(key, rounds, count),
    }


def _sized(counts: Sequence[int], each: int, more: int = 0) -> str:
    """Yul for the bytes of so many things: of the first number for one block, of the last for several."""
    one, several = (each * count + more for count in (counts[0], counts[-1]))
    if one == several:
        return hex(one)
    return f"{'add' if several > one else 'sub'}({hex(one)}, mul({hex(abs(several - one))}, gt(log, 0)))"


def _count(by_log: list[int]) -> str:
    """Yul for a number that depends on the number of blocks."""
    count = str(by_log[0])
    for log, (before, now) in enumerate(pairwise(by_log), 1):
        operation = "add" if now > before else "sub"
        for _ in range(abs(now - before)):
            count = f"{operation}({count}, gt(log, {log - 1}))"
    return count


def _gas_floor(key: Key, points: list[int], chunks: str) -> str:
    """Yul for the gas that a valid proof's curve operations take, and the 1/64 that a call holds back.

    Every product of `combine` counts: with less, a precompile that fails for want of gas would read as an invalid
    proof.
    """
    of_key = 1 if key.linear else 4 + len(key.fixed_names(0)) + key.private
    # [1]_1 and W'; with several blocks rho.
    products = _sized([own + of_key + 2 + log for log, own in enumerate(points)], 1)
    # Product, addition, two calls, and moving their operands.
    one = 64 * (6_000 + 150 + 200 + 150) // 63 + 1
    fixed = 64 * (PAIRING_GAS + 1_000) // 63 + 1
    return f"add({fixed}, mul({one}, add({products}, {chunks})))"


def _inputs(key: Key) -> dict[str, Any]:
    """Public inputs: which word, rule and root each entry has."""
    if key.linear:
        return {"tables": False, "views": False, "unrolled": key.features < UNROLLED_ENTRIES}
    entries = len(key.views)
    first, per_group = key.input_row(0), key.input_slots
    omega = root_of_unity(key.block)
    jump = key.stride - per_group + 1
    uniform = _uniform_rules(key)
    seen = {view.feature for view in key.views}
    unrolled = entries <= UNROLLED_ENTRIES
    return {
        "entry_count": entries,
        "uniform": uniform,
        "views_of_feature": len(uniform or []),
        "refuses": Missing.REFUSE in (uniform or []),
        "missing_keys": [hex(_MISSING_KEYS[rule](key.bits)) for rule in uniform or [] if rule is not Missing.REFUSE],
        "input_slots": key.groups * per_group,
        "entry_first_root": pow(omega, first, FIELD_ORDER),
        "entry_step": hex_word(omega),
        "entry_jump": hex_word(pow(omega, jump, FIELD_ORDER)),
        "start_slot": first % key.stride,
        "slots_per_group": per_group,
        "unrolled": unrolled,
        "tables": not unrolled,
        "views": not unrolled or (key.accumulates and not uniform),
        "feature_entries": _tree_entries(key) if unrolled else [],
        "unseen_features": [f for f in range(key.features) if f not in seen],
        "view_table": _view_table(key),
    }


# The key of a missing value under each rule (section 4.2), for keys of so many bits.
_MISSING_KEYS: dict[Missing, Callable[[int], int]] = {
    Missing.LOW: lambda _bits: 0,
    Missing.HIGH: lambda bits: (1 << bits) - 1,
    Missing.ZERO: lambda _bits: KEY_OF_ZERO,
}


def _uniform_rules(key: Key) -> list[Missing] | None:
    """The rules of a feature's views, if they are the same for all features and zero is a value like others."""
    rules = [[view.missing for _, view in views] for views in key.views_by_feature]
    same = all(own == rules[0] for own in rules) and bool(rules[0])
    return rules[0] if same and not any(view.zero_missing for view in key.views) else None


def _tree_entries(key: Key) -> list[dict[str, Any]]:
    omega = root_of_unity(key.block)
    zero = f"lt(sub(word, {hex(ZERO_KEYS[0])}), {hex(ZERO_KEYS[1] - ZERO_KEYS[0] + 1)})"
    features: list[dict[str, Any]] = []
    for views in key.views_by_feature:
        refused = [view for _, view in views if view.missing is Missing.REFUSE]
        features.append(
            {
                "limit": (1 << key.bits) + (0 if refused else 1),
                "refuse_zero": any(view.zero_missing for view in refused),
                "zero": zero,
                "entries": [
                    {
                        "value": f"add({_key_of(key.bits, view.missing, zero if view.zero_missing else '')}, "
                        f"{hex((j + 1) << key.view_bits)})",
                        "root": pow(omega, key.input_row(j), FIELD_ORDER),
                    }
                    for j, view in views
                ],
            }
        )
    return features


def _key_of(bits: int, missing: Missing, zero: str) -> str:
    """Yul for a view's key from `word` (section 4.2), without a branch."""
    largest = hex((1 << bits) - 1)
    absent = f"eq(word, {hex(1 << bits)})"
    if missing is Missing.REFUSE:
        return "word"
    if zero:
        absent = f"or({absent}, {zero})"
    # `absent` is 1 or 0; 2^bits itself has no bit in common with the largest key.
    present = f"and(word, sub({absent}, 1))" if zero else f"and(word, {largest})"
    if missing is Missing.LOW:
        return present
    if missing is Missing.HIGH:
        return f"and(or(word, sub(0, {absent})), {largest})" if zero else f"sub(word, {absent})"
    return f"or({present}, shl(31, {absent}))"


def _view_table(key: Key) -> list[str]:
    """Four bytes for each view, eight views a word."""
    codes = [(view.feature << 3) | (int(view.zero_missing) << 2) | view.missing for view in key.views]
    packed = b"".join(code.to_bytes(4, "big") for code in codes)
    packed += bytes(-len(packed) % 32)
    return ["0x" + packed[i : i + 32].hex() for i in range(0, len(packed), 32)]


def _trees(key: Key) -> dict[str, Any]:
    slots, steps = key.input_slots, key.depth
    direct = not key.pairs and slots <= steps
    if key.pairs:
        ranges = [_slots(key, "EVEN", range(0, slots, 2)), _slots(key, "ODD", range(1, slots, 2))]
    elif direct:
        ranges = [_slots(key, "INSLOTS", range(slots))]
    else:
        ranges = [_slots(key, "STEPS", range(slots + 1, key.stride - 1))] if steps > 1 else []
    names = {"rho": ("RHO", "rho"), "group": ("GROUP", "Gamma"), "used": ("USED", "E"), "offset": ("OFFSET", "Psi")}
    opened = [names[name] for name in key.fixed_names(min(key.max_log, 1))]
    helpers, more = key.limbs_of_helpers(0), key.limbs_of_helpers(min(key.max_log, 1))
    return _tree_messages(key, [name for name, _ in opened]) | {
        "first_root": _slot_root(key, slots),
        "table_root": hex_word(root_of_unity(key.table)),
        "log_ratio": key.ratio.bit_length() - 1,
        "direct": direct,
        "ranges": ranges,
        "helpers": helpers,
        "helpers_of_batch": more,
        "fixed": [(name, what, _by_log(key, name.lower())) for name, what in opened],
    }


def _tree_messages(key: Key, fixed: list[str]) -> dict[str, Any]:
    """Points of both rounds and evaluations (sections 4.3 and 4.5): for one block, then for several if there may be."""
    without_rho = [name for name in fixed if name != "RHO"]
    accumulator = {"ACC": "a"} if key.accumulates else {}
    columns, sums = {"X": "x", **_limbs(key), "B": "b", "P": "p", "C": "c"}, {**_helpers(key, 0), "PHI": "phi"}
    packs = _packs([columns, sums], key.pack_width) if key.pack_width > 1 else []
    blocks = [_packed(packs, without_rho) if packs else _apart(key, 0, without_rho, {})]
    blocks += [_apart(key, 1, fixed, accumulator)] if key.max_log else []
    first, second, evaluated = (list(part) for part in zip(*blocks, strict=True))
    return {
        "first": first,
        "second": second,
        "evaluated": evaluated,
        "packs": [(name, list(pack)) for of_round in packs for name, pack in of_round.items()],
        "apart": key.max_log > 0 or not packs,
        "opened_here_names": ["X", *_limbs(key), *fixed],
        "fixed_of_one": without_rho,
        # Columns in packs are evaluated, those with commitments of their own are terms.
        "evaluated_sums": ["C", *sums] if packs else [],
        # Points of round 2 that only several blocks have, where both have the same layout.
        "only_several": [] if packs else [name for name in second[-1] if name not in second[0]],
    }


_Block = tuple[dict[str, str], dict[str, str], list[str]]


_Packs = dict[str, dict[str, str]]


def _packs(rounds: list[dict[str, str]], width: int) -> list[_Packs]:
    """For each round its packs of so many columns, numbered over both rounds."""
    numbers = counting(1)
    cut = [[list(own.items())[i : i + width] for i in range(0, len(own), width)] for own in rounds]
    return [{f"PACK{next(numbers)}": dict(pack) for pack in of_round} for of_round in cut]


def _packed(packs: list[_Packs], fixed: list[str]) -> _Block:
    """Round 1, round 2 and the evaluations of one block whose columns share commitments."""
    columns = [name for of_round in packs for pack in of_round.values() for name in pack]
    first, second = ({name: ", ".join(pack.values()) for name, pack in of_round.items()} for of_round in packs)
    return (
        {**first, "M": "m"},
        {**second, "PHI_TABLE": "phi_V"},
        [*fixed, *columns, "PHI_TABLE", *(f"{name}_NEXT" for name in columns), "PHI_TABLE_NEXT"],
    )


def _apart(key: Key, log: int, fixed: list[str], accumulator: dict[str, str]) -> _Block:
    """The same where every column has a commitment of its own."""
    limbs = _limbs(key)
    after = ["B_NEXT", "P_NEXT", "C_NEXT", *(f"{name}_NEXT" for name in accumulator), "PHI_NEXT"]
    return (
        {"X": "x", "B": "b", "P": "p", "C": "c", **limbs, "M": "m"},
        {**_helpers(key, log), **accumulator, "PHI": "phi", "PHI_TABLE": "phi_V"},
        ["X", *limbs, *fixed, "B", "P", "PHI_TABLE", *after, "PHI_TABLE_NEXT"],
    )


def _limbs(key: Key) -> dict[str, str]:
    return {f"S{i}": f"s_{i}" for i in range(1, key.limbs + 1)}


def _helpers(key: Key, log: int) -> dict[str, str]:
    return {f"H{i}": f"h_{i}" for i, _ in enumerate(key.limbs_of_helpers(log), 1)}


def _by_log(key: Key, name: str) -> list[tuple[int, tuple[int, int]]]:
    found = []
    for log, points in enumerate(key.fixed_points):
        names = key.fixed_names(log)
        if name in names:
            found.append((log, points[names.index(name)]))
    return found


def _linear(key: Key) -> dict[str, Any]:
    return {
        "ranges": [],
        "theta": hex_word(root_of_unity(2 * key.block)),
        "first": [{}],
        "second": [{"PHI": "phi"}],
        "evaluated": [["PHI_NEXT"]],
        "weights": key.fixed_points[0][0],
    }


def hex_word(value: int) -> str:
    """A 32-byte literal."""
    return f"0x{value:064x}"
