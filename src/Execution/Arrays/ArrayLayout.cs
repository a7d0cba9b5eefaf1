namespace Orleans.Joblib;

/// <summary>Where the elements of an array lie: lengths and strides, both counted in elements. Immutable.</summary>
internal sealed class ArrayLayout
{
    /// <summary>numpy 2 has the same bound.</summary>
    internal const int MaxRank = 64;

    private readonly nint[] _lengths;
    private readonly nint[] _strides;

    private ArrayLayout(nint[] lengths, nint[] strides, nint count)
    {
        _lengths = lengths;
        _strides = strides;
        Count = count;
        IsC = IsContiguous(ArrayOrder.C);
        IsFortran = IsContiguous(ArrayOrder.Fortran);
    }

    internal ReadOnlySpan<nint> Lengths => _lengths;

    internal ReadOnlySpan<nint> Strides => _strides;

    internal int Rank => _lengths.Length;

    internal nint Count { get; }

    /// <summary>Whether the elements lie without gaps, the last index fastest.</summary>
    internal bool IsC { get; }

    internal bool IsFortran { get; }

    /// <summary>The order to say where there is a choice: C where both hold.</summary>
    internal ArrayOrder Order => IsFortran && !IsC ? ArrayOrder.Fortran : ArrayOrder.C;

    internal static ArrayLayout Of(ReadOnlySpan<nint> lengths, ArrayOrder order, int elementBytes)
    {
        var count = CountOf(lengths, elementBytes);
        return count < 0
            ? throw new ArgumentOutOfRangeException(
                nameof(lengths), $"A shape must not be '{Text(lengths)}'. Use at most {MaxRank} dimensions of 0 or more elements, together less than 2^63 bytes.")
            : new ArrayLayout(lengths.ToArray(), StridesOf(lengths, order), count);
    }

    /// <summary>The number of elements; −1 where a length is negative or the bytes cannot be counted.</summary>
    internal static nint CountOf(ReadOnlySpan<nint> lengths, int elementBytes)
    {
        if (lengths.Length > MaxRank)
        {
            return -1;
        }

        // Strides are counted as if no length were 0, so that they cannot overflow either.
        nint count = 1;
        var isEmpty = false;
        foreach (var length in lengths)
        {
            if (length < 0 || (length > 0 && count > nint.MaxValue / length))
            {
                return -1;
            }

            isEmpty |= length == 0;
            count *= length == 0 ? 1 : length;
        }

        return count > nint.MaxValue / elementBytes ? -1 : isEmpty ? 0 : count;
    }

    /// <summary>From strides that came with a message: nothing may lie outside of <paramref name="before"/> elements before and <paramref name="after"/> after the first.</summary>
    internal static ArrayLayout? TryOf(nint[] lengths, nint[] strides, int elementBytes, nint before, nint after)
    {
        var count = CountOf(lengths, elementBytes);
        if (count < 0 || strides.Length != lengths.Length)
        {
            return null;
        }

        Int128 lowest = 0;
        Int128 highest = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            var reach = (Int128)strides[i] * Math.Max(lengths[i] - 1, 0);
            lowest += reach < 0 ? reach : 0;
            highest += reach > 0 ? reach : 0;
        }

        return count > 0 && (-lowest > before || highest >= after) ? null : new ArrayLayout(lengths, strides, count);
    }

    /// <summary>How far the last element in memory is from the first in the array, in elements. No stride may be negative.</summary>
    internal nint Reach()
    {
        nint reach = 0;
        for (var i = 0; i < Rank; i++)
        {
            reach += _strides[i] * Math.Max(_lengths[i] - 1, 0);
        }

        return reach;
    }

    internal nint OffsetOf(ReadOnlySpan<nint> indexes)
    {
        if (indexes.Length != _lengths.Length)
        {
            throw new ArgumentException($"An array of {_lengths.Length} dimensions does not take '{indexes.Length}' indexes.", nameof(indexes));
        }

        nint offset = 0;
        for (var i = 0; i < indexes.Length; i++)
        {
            if ((nuint)indexes[i] >= (nuint)_lengths[i])
            {
                throw OutOfRange(i, indexes[i]);
            }

            offset += indexes[i] * _strides[i];
        }

        return offset;
    }

    internal ArgumentOutOfRangeException OutOfRange(int axis, nint index) =>
        new(nameof(index), index, $"Index '{index}' is outside of dimension {axis}, which has {_lengths[axis]} elements: the shape is {Text(_lengths)}.");

    /// <summary>The place of the element that is number <paramref name="index"/> when the last index runs fastest.</summary>
    internal nint OffsetOfFlat(nint index)
    {
        nint offset = 0;
        for (var i = _lengths.Length - 1; i >= 0; i--)
        {
            offset += index % _lengths[i] * _strides[i];
            index /= _lengths[i];
        }

        return offset;
    }

    internal (nint Offset, ArrayLayout Layout) Slice(int axis, nint start, nint length, nint step)
    {
        CheckAxis(axis);
        if (length < 0 || step == 0 || (length > 0 && ((nuint)start >= (nuint)_lengths[axis] || !Fits(start, length, step, _lengths[axis]))))
        {
            throw new ArgumentOutOfRangeException(
                nameof(start), $"'{length}' elements from '{start}' in steps of '{step}' are not within dimension {axis}, which has {_lengths[axis]} elements.");
        }

        var lengths = (nint[])_lengths.Clone();
        var strides = (nint[])_strides.Clone();
        lengths[axis] = length;
        strides[axis] = length > 1 ? strides[axis] * step : strides[axis];
        return (length == 0 ? 0 : start * _strides[axis], new ArrayLayout(lengths, strides, length == 0 ? 0 : Count / Math.Max(_lengths[axis], 1) * length));
    }

    /// <summary>One index of a dimension, which goes.</summary>
    internal (nint Offset, ArrayLayout Layout) Pick(int axis, nint index)
    {
        CheckAxis(axis);
        if ((nuint)index >= (nuint)_lengths[axis])
        {
            throw OutOfRange(axis, index);
        }

        return (index * _strides[axis], new ArrayLayout(Without(_lengths, axis), Without(_strides, axis), Count / _lengths[axis]));
    }

    internal ArrayLayout Transpose(ReadOnlySpan<int> axes)
    {
        var lengths = new nint[Rank];
        var strides = new nint[Rank];
        if (axes.IsEmpty)
        {
            _lengths.CopyTo(lengths, 0);
            _strides.CopyTo(strides, 0);
            Array.Reverse(lengths);
            Array.Reverse(strides);
            return new ArrayLayout(lengths, strides, Count);
        }

        var seen = new bool[Rank];
        for (var i = 0; i < Rank; i++)
        {
            if (axes.Length != Rank || (uint)axes[i] >= (uint)Rank || seen[axes[i]])
            {
                throw new ArgumentException($"Axes must be the numbers 0 to {Rank - 1}, each once.", nameof(axes));
            }

            seen[axes[i]] = true;
            lengths[i] = _lengths[axes[i]];
            strides[i] = _strides[axes[i]];
        }

        return new ArrayLayout(lengths, strides, Count);
    }

    internal ArrayLayout Reshape(ReadOnlySpan<nint> lengths, int elementBytes)
    {
        var count = CountOf(lengths, elementBytes);
        if (count != Count)
        {
            throw new ArgumentException($"{Count} elements of shape {Text(_lengths)} do not fit the shape '{Text(lengths)}'.", nameof(lengths));
        }

        if (!IsC && !IsFortran)
        {
            throw new InvalidOperationException("A view with gaps has no other shape without a copy. Copy it first: ToArray().");
        }

        return new ArrayLayout(lengths.ToArray(), StridesOf(lengths, Order), count);
    }

    internal static string Text(ReadOnlySpan<nint> lengths)
    {
        var text = new System.Text.StringBuilder("(");
        for (var i = 0; i < lengths.Length; i++)
        {
            text.Append(i == 0 ? "" : ", ").Append(lengths[i]);
        }

        return text.Append(lengths.Length == 1 ? ",)" : ")").ToString();
    }

    private static bool Fits(nint start, nint length, nint step, nint whole)
    {
        var last = start + ((Int128)(length - 1) * step);
        return last >= 0 && last < whole;
    }

    private static nint[] StridesOf(ReadOnlySpan<nint> lengths, ArrayOrder order)
    {
        var strides = new nint[lengths.Length];
        nint stride = 1;
        for (var i = 0; i < lengths.Length; i++)
        {
            var axis = order == ArrayOrder.C ? lengths.Length - 1 - i : i;
            strides[axis] = stride;
            stride *= Math.Max(lengths[axis], 1);
        }

        return strides;
    }

    private static nint[] Without(nint[] values, int axis) => [.. values.AsSpan(0, axis), .. values.AsSpan(axis + 1)];

    private bool IsContiguous(ArrayOrder order)
    {
        if (Count == 0)
        {
            return true;
        }

        nint stride = 1;
        for (var i = 0; i < Rank; i++)
        {
            var axis = order == ArrayOrder.C ? Rank - 1 - i : i;
            if (_lengths[axis] != 1)
            {
                if (_strides[axis] != stride)
                {
                    return false;
                }

                stride *= _lengths[axis];
            }
        }

        return true;
    }

    private void CheckAxis(int axis)
    {
        if ((uint)axis >= (uint)Rank)
        {
            throw new ArgumentOutOfRangeException(nameof(axis), axis, $"An array of {Rank} dimensions has no dimension '{axis}'. They are counted from 0.");
        }
    }
}
