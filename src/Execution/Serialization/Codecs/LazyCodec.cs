using System.Reflection;

namespace Orleans.Joblib;

/// <summary>A lazy value: the value if it has been made, else what makes it.</summary>
internal sealed class LazyCodec<T>(CodecTable codecs) : ObjectCodec(typeof(Lazy<T>))
{
    private static readonly FieldInfo? Factory = typeof(Lazy<T>).GetField("_factory", BindingFlags.Instance | BindingFlags.NonPublic);

    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(128);
        var lazy = (Lazy<T>)value;
        writer.WriteByte(lazy.IsValueCreated ? (byte)1 : (byte)0);
        if (lazy.IsValueCreated)
        {
            var made = lazy.Value;
            codecs.FieldFor<T>().Write(writer, ref made);
        }
        else
        {
            writer.WriteReference(Factory?.GetValue(lazy));
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(128);
        if (reader.ReadByte() != 0)
        {
            T made = default!;
            codecs.FieldFor<T>().Read(reader, ref made);
            return new Lazy<T>(made);
        }

        return ReferenceCodec<Func<T>>.Cast(reader.ReadReference()) is { } factory ? new Lazy<T>(factory) : new Lazy<T>();
    }
}
