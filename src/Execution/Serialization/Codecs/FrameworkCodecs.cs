using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace Orleans.Joblib;

/// <summary>Classes of the framework that stand for something every process has its own of, or that are made by their constructors.</summary>
internal static class FrameworkCodecs
{
    internal static ObjectCodec? For(Type type, CodecTable codecs)
    {
        if (!SharedCode.IsShared(type.Assembly) && !typeof(Regex).IsAssignableFrom(type))
        {
            return null;
        }

        if (typeof(Type).IsAssignableFrom(type))
        {
            return new ConvertedObjectCodec<Type>(typeof(Type), (w, v) => WriteType(w, v, codecs), r => r.Context.TypeOf(r.ReadBlob()));
        }

        if (typeof(MemberInfo).IsAssignableFrom(type))
        {
            return new ConvertedObjectCodec<MemberInfo>(typeof(MemberInfo), (w, v) => MemberNames.Write(w, v, codecs.Code), MemberNames.Read, size: 256);
        }

        if (typeof(StringComparer).IsAssignableFrom(type) || IsOrdinalInDisguise(type))
        {
            return new ConvertedObjectCodec<object>(typeof(StringComparer), Comparers.WriteString, Comparers.ReadString);
        }

        if (Comparers.DefaultOf(type) is { } single)
        {
            return new ConvertedObjectCodec<object>(single.Type, static (_, _) => { }, _ => single.Value);
        }

        if (type == typeof(ReferenceEqualityComparer))
        {
            return new ConvertedObjectCodec<object>(type, static (_, _) => { }, static _ => ReferenceEqualityComparer.Instance);
        }

        if (typeof(CultureInfo).IsAssignableFrom(type))
        {
            return new ConvertedObjectCodec<CultureInfo>(
                typeof(CultureInfo), (w, v) => w.WriteString(v.Name), r => r.ReadString() is { Length: > 0 } name ? CultureInfo.GetCultureInfo(name) : CultureInfo.InvariantCulture, size: 1024);
        }

        if (typeof(CompareInfo) == type)
        {
            return new ConvertedObjectCodec<CompareInfo>(type, (w, v) => w.WriteString(v.Name), r => CultureInfo.GetCultureInfo(r.ReadString()).CompareInfo, size: 1024);
        }

        if (typeof(Encoding).IsAssignableFrom(type))
        {
            return new ConvertedObjectCodec<Encoding>(typeof(Encoding), (w, v) => WriteEncoding(w, v), ReadEncoding, size: 256);
        }

        if (type == typeof(TimeZoneInfo))
        {
            return new ConvertedObjectCodec<TimeZoneInfo>(type, (w, v) => w.WriteString(v.ToSerializedString()), r => TimeZoneInfo.FromSerializedString(r.ReadString()), size: 4096);
        }

        if (type == typeof(Uri))
        {
            return new ConvertedObjectCodec<Uri>(type, (w, v) => w.WriteString(v.OriginalString), r => new Uri(r.ReadString(), UriKind.RelativeOrAbsolute), size: 256);
        }

        if (typeof(Regex).IsAssignableFrom(type))
        {
            // A generated one is the same expression, compiled beforehand.
            return new ConvertedObjectCodec<Regex>(typeof(Regex), WriteRegex, ReadRegex, size: 4096);
        }

        if (type == typeof(StringBuilder))
        {
            return new ConvertedObjectCodec<StringBuilder>(
                type,
                (w, v) =>
                {
                    w.Charge(8L * v.Length);
                    w.WriteString(v.ToString());
                },
                r =>
                {
                    var text = r.ReadString();
                    r.Charge(2L * text.Length);
                    return new StringBuilder(text);
                });
        }

        if (type == typeof(DBNull))
        {
            return new ConvertedObjectCodec<DBNull>(type, static (_, _) => { }, static _ => DBNull.Value);
        }


        if (typeof(Task).IsAssignableFrom(type))
        {
            return TaskCodecs.For(type, codecs);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Lazy<>))
        {
            return (ObjectCodec)Activator.CreateInstance(typeof(LazyCodec<>).MakeGenericType(type.GetGenericArguments()), codecs)!;
        }

        return null;
    }

    private static void WriteType(GraphWriter writer, Type type, CodecTable codecs)
    {
        var bytes = new PayloadWriter();
        TypeNames.Write(bytes, type, codecs.Code);
        writer.WriteBlob(bytes.Written);
    }

    // Dictionaries of strings show such a comparer where they were given none.
    private static bool IsOrdinalInDisguise(Type type) =>
        typeof(IEqualityComparer<string>).IsAssignableFrom(type) && type.Name.StartsWith("NonRandomized", StringComparison.Ordinal);

    private static void WriteEncoding(GraphWriter writer, Encoding encoding)
    {
        writer.WriteVarInt(encoding.CodePage);
        writer.WriteByte(encoding.GetPreamble().Length > 0 ? (byte)1 : (byte)0);
        writer.WriteByte(encoding.EncoderFallback is EncoderExceptionFallback ? (byte)1 : (byte)0);
    }

    private static Encoding ReadEncoding(GraphReader reader)
    {
        var page = (int)reader.ReadVarInt();
        var marks = reader.ReadByte() != 0;
        var throws = reader.ReadByte() != 0;
        return page switch
        {
            65001 when marks && !throws => Encoding.UTF8,
            65001 => new UTF8Encoding(marks, throws),
            1200 => new UnicodeEncoding(false, marks, throws),
            1201 => new UnicodeEncoding(true, marks, throws),
            12000 => new UTF32Encoding(false, marks, throws),
            12001 => new UTF32Encoding(true, marks, throws),
            _ => throws ? Encoding.GetEncoding(page, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback) : Encoding.GetEncoding(page),
        };
    }

    private static void WriteRegex(GraphWriter writer, Regex regex)
    {
        writer.WriteString(regex.ToString());
        writer.WriteVarInt((int)regex.Options);
        writer.WriteVarInt(regex.MatchTimeout.Ticks);
    }

    private static Regex ReadRegex(GraphReader reader)
    {
        var pattern = reader.ReadString();
        reader.Charge(64L * pattern.Length);
        return new Regex(pattern, (RegexOptions)reader.ReadVarInt(), new TimeSpan(reader.ReadVarInt()));
    }
}
