using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Whole numbers of four and eight bytes and enums over them: small ones take one byte. In arrays and columns they are raw.</summary>
internal sealed class NumberCodec<T> : FieldCodec<T>
    where T : struct
{
    internal override bool IsRaw => true;

    internal override bool IsWholeNumber => true;

    internal override bool IsWhole => true;

    internal override void Write(GraphWriter writer, ref T value) =>
        writer.WriteVarInt(Unsafe.SizeOf<T>() == 4 ? Unsafe.As<T, int>(ref value) : Unsafe.As<T, long>(ref value));

    internal override void Read(GraphReader reader, ref T value)
    {
        var number = reader.ReadVarInt();
        if (Unsafe.SizeOf<T>() == 4)
        {
            Unsafe.As<T, int>(ref value) = (int)number;
        }
        else
        {
            Unsafe.As<T, long>(ref value) = number;
        }
    }
}
