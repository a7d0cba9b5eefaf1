using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Writes which type or method is meant, so that another process finds the same one. Each description stands by itself.</summary>
internal static class TypeNames
{
    internal const byte Shared = 1;
    internal const byte User = 2;
    internal const byte Constructed = 3;
    internal const byte Vector = 4;
    internal const byte Grid = 5;

    internal const BindingFlags Everything =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    internal static void Write(PayloadWriter writer, Type type, ICodeReferences code)
    {
        if (type.IsArray)
        {
            writer.WriteByte(type.IsSZArray ? Vector : Grid);
            if (!type.IsSZArray)
            {
                writer.WriteByte((byte)type.GetArrayRank());
            }

            Write(writer, type.GetElementType()!, code);
            return;
        }

        if (type.HasElementType || type.IsGenericParameter || type.IsFunctionPointer)
        {
            throw new RefusedException(type, "is a pointer, a reference to a variable or an open type parameter", null);
        }

        if (type.IsConstructedGenericType)
        {
            var arguments = type.GetGenericArguments();
            writer.WriteByte(Constructed);
            WriteNamed(writer, type.GetGenericTypeDefinition(), code);
            writer.WriteByte((byte)arguments.Length);
            foreach (var argument in arguments)
            {
                Write(writer, argument, code);
            }

            return;
        }

        WriteNamed(writer, type, code);
    }

    /// <summary>User code by token, checked by name: its module is the same build. Shared code by name and signature.</summary>
    internal static void WriteMethod(PayloadWriter writer, MethodBase method, ICodeReferences code)
    {
        var owner = method.DeclaringType
            ?? throw new RefusedException(null, "is code made at run time (a compiled expression or a DynamicMethod), which no file holds", null);
        Write(writer, owner, code);
        writer.WriteString(method.Name);
        if (SharedCode.IsShared(owner.Assembly))
        {
            writer.WriteString(Signature(method));
        }
        else
        {
            writer.WriteRaw(method.MetadataToken);
        }

        var arguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        writer.WriteByte((byte)arguments.Length);
        foreach (var argument in arguments)
        {
            Write(writer, argument, code);
        }
    }

    /// <summary>The signature of a method's definition, as text.</summary>
    internal static string Signature(MethodBase method)
    {
        var definition = Definition(method);
        var result = definition is MethodInfo info ? info.ReturnType.ToString() : "";
        return $"{(definition.IsStatic ? "s" : "i")}{(definition.IsGenericMethod ? definition.GetGenericArguments().Length : 0)}"
            + $"({string.Join(',', definition.GetParameters().Select(parameter => parameter.ParameterType.ToString()))}){result}";
    }

    private static MethodBase Definition(MethodBase method)
    {
        var owner = method.DeclaringType!;
        if (owner.IsConstructedGenericType)
        {
            var token = method.MetadataToken;
            return owner.GetGenericTypeDefinition().GetMembers(Everything).OfType<MethodBase>().First(candidate => candidate.MetadataToken == token);
        }

        return method is MethodInfo { IsGenericMethod: true } info ? info.GetGenericMethodDefinition() : method;
    }

    private static void WriteNamed(PayloadWriter writer, Type type, ICodeReferences code)
    {
        var assembly = type.Assembly;
        var shared = SharedCode.IsShared(assembly);
        writer.WriteByte(shared ? Shared : User);
        writer.WriteString(assembly.GetName().Name!);
        if (!shared)
        {
            writer.WriteRaw(type.Module.ModuleVersionId);
            code.Add(assembly);
        }

        writer.WriteString(type.FullName!);
    }
}
