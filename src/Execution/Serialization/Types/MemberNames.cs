using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Methods, fields and properties as values: expression trees are made of them.</summary>
internal static class MemberNames
{
    private const byte Method = 1;
    private const byte Field = 2;
    private const byte Property = 3;

    internal static void Write(GraphWriter writer, MemberInfo member, ICodeReferences code)
    {
        var bytes = new PayloadWriter();
        switch (member)
        {
            case MethodBase method:
                bytes.WriteByte(Method);
                TypeNames.WriteMethod(bytes, method, code);
                break;

            case FieldInfo or PropertyInfo when member.DeclaringType is not null:
                bytes.WriteByte(member is FieldInfo ? Field : Property);
                TypeNames.Write(bytes, member.DeclaringType, code);
                bytes.WriteString(member.Name);
                break;

            default:
                throw new RefusedException(member.GetType(), "cannot be named in another process", member);
        }

        writer.WriteBlob(bytes.Written);
    }

    internal static MemberInfo Read(GraphReader reader)
    {
        var bytes = new PayloadReader(reader.ReadMemory(reader.ReadCount()), 1 << 20);
        var kind = bytes.ReadByte();
        if (kind == Method)
        {
            return reader.Context.Types.ReadMethod(bytes);
        }

        var owner = reader.Context.Types.Read(bytes);
        var name = bytes.ReadString();
        MemberInfo? member = kind switch
        {
            Field => owner.GetField(name, TypeNames.Everything),
            Property => owner.GetProperties(TypeNames.Everything).FirstOrDefault(property => property.Name == name && property.GetIndexParameters().Length == 0),
            _ => null,
        };
        return member ?? throw PayloadReader.Malformed($"'{owner}' has no member '{name}'");
    }
}
