using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RpOrleans.Grains.Settings;

/// <summary>
/// Reads settings from environment variables, and remembers everything that is wrong with them, so that a bad file is
/// mended in one go. A variable that is empty counts as unset.
/// </summary>
/// <param name="configuration">Where the variables are.</param>
public sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _problems = [];

    /// <summary>Things that are not wrong, but that the operator should know.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Reads the properties that bear a <see cref="SettingAttribute"/>; what is unset keeps its default.</summary>
    /// <typeparam name="T">The group of settings.</typeparam>
    /// <returns>The group; where a value was wrong, with the default in its place.</returns>
    public T Read<T>() where T : new()
    {
        var options = new T();
        foreach (var property in typeof(T).GetProperties())
        {
            if (property.GetCustomAttribute<SettingAttribute>() is not { } setting || Raw(setting.Name) is not { } text)
            {
                continue;
            }

            if (Parse(property.PropertyType, text) is { } value && Allowed(property, value))
            {
                property.SetValue(options, value);
            }
            else
            {
                Reject(setting.Name, setting.Secret ? "(not shown)" : text, Describe(property));
            }
        }

        return options;
    }

    /// <summary>The variable's text; <see langword="null"/> when it is unset or empty.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The text.</returns>
    public string? Raw(string name) => configuration[name] is { Length: > 0 } text ? text : null;

    /// <summary>Notes that a setting cannot be used.</summary>
    /// <param name="name">The variable.</param>
    /// <param name="value">What it was set to; <see langword="null"/> for unset.</param>
    /// <param name="allowed">What would be allowed.</param>
    public void Reject(string name, string? value, string allowed) =>
        _problems.Add(value is null ? $"{name} is not set: {allowed}" : $"{name}={value}: {allowed}");

    /// <summary>Ends the reading.</summary>
    /// <exception cref="OptionsValidationException">Something was wrong; it names everything that was.</exception>
    public void ThrowIfRejected()
    {
        if (_problems.Count > 0)
        {
            throw new OptionsValidationException("settings", typeof(SettingsReader), _problems);
        }
    }

    private static object? Parse(Type type, string text)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return text;
        if (type == typeof(int)) return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) ? i : null;
        if (type == typeof(long)) return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l) ? l : null;
        if (type == typeof(double)) return double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var d) ? d : null;
        if (type == typeof(bool)) return bool.TryParse(text, out var b) ? b : null;
        if (type == typeof(IPAddress)) return IPAddress.TryParse(text, out var ip) ? ip : null;
        if (type == typeof(TimeSpan))
        {
            return decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var s)
                   && Math.Abs(s) < 1_000_000_000
                ? TimeSpan.FromTicks((long)(s * TimeSpan.TicksPerSecond))
                : null;
        }

        if (type.IsEnum)
        {
            return Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known
                ? Enum.Parse(type, known)
                : null;
        }

        throw new NotSupportedException($"A setting cannot be of type {type}.");
    }

    private static bool Allowed(PropertyInfo property, object value) =>
        property.GetCustomAttributes<ValidationAttribute>().All(rule => rule.IsValid(value));

    private static string Describe(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            return type == typeof(TimeSpan)
                ? $"must be seconds from {Seconds(range.Minimum)} to {Seconds(range.Maximum)}"
                : string.Create(CultureInfo.InvariantCulture, $"must be a {(type == typeof(double) ? "number" : "whole number")} from {range.Minimum} to {range.Maximum}");
        }

        if (property.GetCustomAttribute<RegularExpressionAttribute>() is { } pattern) return $"must be {pattern.ErrorMessage}";
        if (type.IsEnum) return $"must be one of {string.Join(", ", Enum.GetNames(type).Select(n => type == typeof(Clustering) ? n.ToLowerInvariant() : n))}";
        if (type == typeof(bool)) return "must be true or false";
        if (type == typeof(IPAddress)) return "must be an IP address";
        return "cannot be used";

        static string Seconds(object bound) =>
            TimeSpan.Parse((string)bound, CultureInfo.InvariantCulture).TotalSeconds.ToString(CultureInfo.InvariantCulture);
    }
}
