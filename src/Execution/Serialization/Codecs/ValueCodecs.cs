using System.Numerics;

namespace Orleans.Joblib;

/// <summary>Structs of the framework whose bytes are not for everyone to make up.</summary>
internal static class ValueCodecs
{
    private static readonly Dictionary<Type, FieldCodec> Known = new()
    {
        [typeof(bool)] = Of<bool>((w, v) => w.WriteByte(v ? (byte)1 : (byte)0), r => r.ReadByte() switch
        {
            0 => false,
            1 => true,
            _ => throw PayloadReader.Malformed("a truth value is neither"),
        }),
        [typeof(decimal)] = Of<decimal>(
            (w, v) =>
            {
                Span<int> bits = stackalloc int[4];
                decimal.GetBits(v, bits);
                foreach (var part in bits)
                {
                    w.WriteRaw(part);
                }
            },
            r => new decimal([r.ReadRaw<int>(), r.ReadRaw<int>(), r.ReadRaw<int>(), r.ReadRaw<int>()])),
        [typeof(DateTime)] = Of<DateTime>((w, v) =>
        {
            w.WriteRaw(v.Ticks);
            w.WriteByte((byte)v.Kind);
        }, r => new DateTime(r.ReadRaw<long>(), (DateTimeKind)r.ReadByte())),
        [typeof(DateTimeOffset)] = Of<DateTimeOffset>((w, v) =>
        {
            w.WriteRaw(v.Ticks);
            w.WriteVarInt(v.Offset.Ticks);
        }, r => new DateTimeOffset(r.ReadRaw<long>(), new TimeSpan(r.ReadVarInt()))),
        [typeof(TimeSpan)] = new RawCodec<TimeSpan>(),
        [typeof(DateOnly)] = Of<DateOnly>((w, v) => w.WriteVarInt(v.DayNumber), r => DateOnly.FromDayNumber(checked((int)r.ReadVarInt()))),
        [typeof(TimeOnly)] = Of<TimeOnly>((w, v) => w.WriteRaw(v.Ticks), r => new TimeOnly(r.ReadRaw<long>())),
        [typeof(BigInteger)] = Of<BigInteger>((w, v) => w.WriteBlob(v.ToByteArray()), r =>
        {
            var bytes = r.ReadBlob();
            r.Charge(bytes.Length + 32);
            return new BigInteger(bytes);
        }),
        [typeof(CancellationToken)] = Of<CancellationToken>((w, v) =>
        {
            if (v.CanBeCanceled && v != new CancellationToken(true))
            {
                throw new RefusedException(typeof(CancellationToken), "belongs to a source in this process", v)
                {
                    Remedy = "Let the call take the run's token instead: Delayed(token => …)",
                };
            }

            w.WriteByte(v.IsCancellationRequested ? (byte)1 : (byte)0);
        }, r => new CancellationToken(r.ReadByte() != 0)),
        [typeof(System.Text.Rune)] = Of<System.Text.Rune>((w, v) => w.WriteVarInt(v.Value), r => new System.Text.Rune(checked((int)r.ReadVarInt()))),
    };

    internal static FieldCodec? For(Type type) => Known.GetValueOrDefault(type);

    private static ConvertedCodec<T> Of<T>(Action<GraphWriter, T> write, Func<GraphReader, T> read) => new(write, read);
}
